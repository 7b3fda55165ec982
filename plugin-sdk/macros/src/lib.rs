//! `#[derive(Schema)]`: the schema of a provider's type from a Rust struct.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Expr, Field, Fields, Lit, Meta, Type};

/// Makes the schema of a struct: a field is an attribute, or a nested block with `#[block]`.
///
/// `#[attr(…)]` takes `computed`, `read_only`, `never_null`, `changes_on_update`, `force_new`, `unique`, `unique_name`, `sensitive`,
/// `keeps_secret`, `credential`, `credential_file`, and `variadic` in the parameters of a function;
/// `#[block(…)]` takes `force_new`, `required`. An attribute that is no `Option` is required. Doc comments become descriptions.
/// The struct can be the type of an attribute, too: an object.
#[proc_macro_derive(Schema, attributes(attr, block))]
pub fn schema(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(input: &DeriveInput) -> syn::Result<Tokens> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(input, "a schema is made from a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(syn::Error::new_spanned(input, "a schema is made from a struct with named fields"));
    };
    let members = fields.named.iter().map(member).collect::<syn::Result<Vec<_>>>()?;
    let name = &input.ident;
    Ok(quote! {
        impl ::bimetal_provider::Schema for #name {
            fn block() -> ::bimetal_provider::Block {
                let mut block = ::bimetal_provider::Block::default();
                #(#members)*
                block
            }
        }

        impl ::bimetal_provider::HasType for #name {
            fn ty() -> ::bimetal_provider::Json {
                <#name as ::bimetal_provider::Schema>::block().ty()
            }
        }
    })
}

fn member(field: &Field) -> syn::Result<Tokens> {
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let name = name.strip_prefix("r#").unwrap_or(&name).to_owned();
    let ty = &field.ty;
    if let Some(attribute) = find(field, "block") {
        let flags = flags(attribute, &["force_new", "required"])?;
        return Ok(quote! {
            block.blocks.push((#name.to_owned(), <#ty as ::bimetal_provider::IsBlock>::nested() #(.with(#flags))*));
        });
    }
    let mut flags = match find(field, "attr") {
        Some(attribute) => {
            let known = [
                "computed",
                "read_only",
                "never_null",
                "changes_on_update",
                "force_new",
                "unique",
                "unique_name",
                "sensitive",
                "keeps_secret",
                "credential",
                "credential_file",
                "write_only",
                "required",
                "variadic",
            ];
            flags(attribute, &known)?
        }
        None => Vec::new(),
    };
    let has = |flag: &str| flags.iter().any(|one| one == flag);
    match is_optional(ty) {
        false if has("write_only") => {
            let wrong = "what is write-only is an `Option`, as what exists does not have it; `#[attr(write_only, required)]` must be written";
            return Err(syn::Error::new_spanned(ty, wrong));
        }
        true if has("required") && !has("write_only") => {
            return Err(syn::Error::new_spanned(ty, "an attribute that must be written is no `Option`"));
        }
        false if !has("required") => flags.push("required".to_owned()),
        true | false => {}
    }
    let description = description(&field.attrs);
    Ok(quote! {
        block.attributes.push((#name.to_owned(),
            ::bimetal_provider::Attribute::new(<#ty as ::bimetal_provider::HasType>::ty(), #description) #(.with(#flags))*));
    })
}

fn find<'a>(field: &'a Field, name: &str) -> Option<&'a Attribute> {
    field.attrs.iter().find(|attribute| attribute.path().is_ident(name))
}

fn flags(attribute: &Attribute, known: &[&str]) -> syn::Result<Vec<String>> {
    let mut flags = Vec::new();
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(flags);
    }
    attribute.parse_nested_meta(|meta| {
        let flag = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        if !known.contains(&flag.as_str()) {
            return Err(meta.error(format!("one of {} is wanted here", known.join(", "))));
        }
        flags.push(flag);
        Ok(())
    })?;
    Ok(flags)
}

fn is_optional(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "Option")
}

fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ").trim().to_owned()
}
