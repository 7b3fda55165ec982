//! Files beside the configuration.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::Type;
use sha2::Digest as _;

use super::encoding::hexadecimal;
use super::path::expanded;
use super::{Arguments, Error, Function, Result, deep, fileset, text as path};

pub(super) fn functions() -> Vec<Function> {
    let digest = |name, run| deep(name, [path()], Type::String, run);
    vec![
        deep("file", [path()], Type::String, |a| Ok(text(&a)?.into())),
        deep("fileexists", [path()], Type::Bool, |a| {
            let path = expanded(a.text(0), a.scope)?;
            a.scope.outside.read.exists(&path).map(Into::into).map_err(Error::new)
        }),
        deep("filebase64", [path()], Type::String, |a| {
            Ok(STANDARD.encode(bytes(&a).map_err(|error| error.of(0))?).into())
        }),
        digest("filemd5", |a| Ok(hexadecimal(&md5::Md5::digest(bytes(&a)?)).into())),
        digest("filesha1", |a| Ok(hexadecimal(&sha1::Sha1::digest(bytes(&a)?)).into())),
        digest("filesha256", |a| Ok(hexadecimal(&sha2::Sha256::digest(bytes(&a)?)).into())),
        digest("filesha512", |a| Ok(hexadecimal(&sha2::Sha512::digest(bytes(&a)?)).into())),
        digest("filebase64sha256", |a| Ok(STANDARD.encode(sha2::Sha256::digest(bytes(&a)?)).into())),
        digest("filebase64sha512", |a| Ok(STANDARD.encode(sha2::Sha512::digest(bytes(&a)?)).into())),
        deep("fileset", [path(), path()], Type::set(Type::String), fileset::file_set),
    ]
}

fn bytes(arguments: &Arguments<'_>) -> Result<Vec<u8>> {
    let path = expanded(arguments.text(0), arguments.scope)?;
    arguments.scope.outside.read.read(&path).map_err(Error::new)
}

/// The text of the file that the first argument names.
pub(super) fn text(arguments: &Arguments<'_>) -> Result<String> {
    let text = String::from_utf8(bytes(arguments).map_err(|error| error.of(0))?);
    text.map_err(|_| Error::new("the file is no UTF-8 text").hint("`filebase64` reads any"))
}
