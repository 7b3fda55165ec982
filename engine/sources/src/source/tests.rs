//! How sources are read and shown.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> String {
    match Source::parse(text) {
        Ok(Some(source)) => source.to_string(),
        Ok(None) => "local".to_owned(),
        Err(why) => format!("! {why}"),
    }
}

fn read_all(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("{text:?}\n    {}", read(text))).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_form_of_terraform_is_read() {
    insta::assert_snapshot!(read_all(&[
        "./modules/web",
        "..",
        "git::https://example.org/x.git//sub/dir?ref=v1",
        "git::https://Example.org:443/x.git",
        "git::https://alice@example.org/x.git",
        "git::ssh://git@example.org/x.git",
        "git::ssh://git@example.org:2222/x.git//a?ref=main",
        "git::git@example.org:x.git",
        "git@github.com:x/y.git//sub?ref=v1.2.0",
        "github.com/x/y",
        "github.com/x/y.git//sub?ref=feature%2Fa",
        "github.com/x/y/sub/folder",
        "gitlab.com/group/team/web//sub",
        "git::file:///srv/x.git",
        "git::git://example.org/x.git",
        "git::https://example.org/x.git?depth=1&ref=v1",
        "https://example.org/web-1.0.tar.gz//web",
        "https://example.org/web.zip?token=a",
        "https://example.org/download?id=7&archive=zip",
        "oci://registry.example.org/team/web:1.2.0//sub",
        "oci://localhost:5000/web",
        "oci://registry.example.org/web?tag=1.0",
    ]), @r#"
    "./modules/web"
        local
    ".."
        local
    "git::https://example.org/x.git//sub/dir?ref=v1"
        git::https://example.org/x.git//sub/dir?ref=v1
    "git::https://Example.org:443/x.git"
        git::https://example.org/x.git
    "git::https://alice@example.org/x.git"
        git::https://alice@example.org/x.git
    "git::ssh://git@example.org/x.git"
        git::ssh://git@example.org/x.git
    "git::ssh://git@example.org:2222/x.git//a?ref=main"
        git::ssh://git@example.org:2222/x.git//a?ref=main
    "git::git@example.org:x.git"
        git::git@example.org:x.git
    "git@github.com:x/y.git//sub?ref=v1.2.0"
        git::git@github.com:x/y.git//sub?ref=v1.2.0
    "github.com/x/y"
        git::https://github.com/x/y.git
    "github.com/x/y.git//sub?ref=feature%2Fa"
        git::https://github.com/x/y.git//sub?ref=feature/a
    "github.com/x/y/sub/folder"
        git::https://github.com/x/y.git//sub/folder
    "gitlab.com/group/team/web//sub"
        git::https://gitlab.com/group/team/web.git//sub
    "git::file:///srv/x.git"
        git::file:///srv/x.git
    "git::git://example.org/x.git"
        git::git://example.org/x.git
    "git::https://example.org/x.git?depth=1&ref=v1"
        git::https://example.org/x.git?ref=v1
    "https://example.org/web-1.0.tar.gz//web"
        https://example.org/web-1.0.tar.gz//web
    "https://example.org/web.zip?token=a"
        https://example.org/web.zip?token=a
    "https://example.org/download?id=7&archive=zip"
        https://example.org/download?id=7&archive=tgz
    "oci://registry.example.org/team/web:1.2.0//sub"
        oci://registry.example.org/team/web:1.2.0//sub
    "oci://localhost:5000/web"
        oci://localhost:5000/web
    "oci://registry.example.org/web?tag=1.0"
        oci://registry.example.org/web:1.0
    "#);
}

#[test]
fn what_is_no_source_is_refused_with_words() {
    insta::assert_snapshot!(read_all(&[
        "",
        "web",
        "hashicorp/consul/aws",
        "/srv/modules",
        "ssh://git@example.org/x.git",
        "s3::https://bucket/x.zip",
        "http://example.org/x.zip",
        "https://example.org/x",
        "https://alice:secret@example.org/x.zip",
        "https://example.org/x.zip?checksum=md5:1",
        "git::./relative",
        "git::/srv/x.git",
        "git::https://alice:secret@example.org/x.git",
        "git::https://ghp_abcdef@example.org/x.git",
        "git::ext::sh -c touch% /tmp/evil",
        "git::ext::sh",
        "git::ext://sh",
        "git::fd::17",
        "git::--upload-pack=touch",
        "git::ssh://-oProxyCommand=touch/x",
        "git::ssh://-l@example.org/x",
        "git::-oProxyCommand=touch:x",
        "git::git@-oProxyCommand=touch:x",
        "git::git@example.org:-x",
        "git::git@example.org:../x",
        "git::https://example.org/acme/../evil/x.git",
        "git::https://example.org/acme/%2e%2e/evil/x.git",
        "git::https://example.org/acme/..%2fevil",
        "git::https://example.org/",
        "git::https://example.org/x.git//../..",
        "git::https://example.org/x.git?ref=--upload-pack=touch",
        "git::https://example.org/x.git?ref=a..b",
        "git::https://example.org/x.git?ref=HEAD~1",
        "git::https://example.org/x.git?ref=",
        "git::https://example.org/x.git?ref=a&ref=b",
        "git::https://example.org/x.git?sshkey=AAAA",
        "git::https://example.org/x.git#v1",
        "git::https://example.org/x.git\n",
        "oci://web",
        "oci://registry.example.org/Web",
        "oci://registry.example.org/web@sha256:1",
    ]), @r#"
    ""
        ! it is empty
    "web"
        ! it is none of the forms that there are: `./path`, `git::https://host/repository.git//folder?ref=tag`, `git@host:repository.git`, `github.com/owner/repository`, `https://host/file.tar.gz`, `oci://registry/name:tag`
    "hashicorp/consul/aws"
        ! it is none of the forms that there are: `./path`, `git::https://host/repository.git//folder?ref=tag`, `git@host:repository.git`, `github.com/owner/repository`, `https://host/file.tar.gz`, `oci://registry/name:tag`
    "/srv/modules"
        ! it is an absolute path, which is another one on each machine: write a path that begins with `./` or `../`, or `git::file:///…` for a repository
    "ssh://git@example.org/x.git"
        ! a repository is written with `git::` before its URL
    "s3::https://bucket/x.zip"
        ! `s3::` is no way to fetch that Bimetal knows: there are `git::`, `https://` and `oci://`
    "http://example.org/x.zip"
        ! an archive is fetched over `https` only
    "https://example.org/x"
        ! it names neither an archive (`.tar.gz`, `.tgz`, `.zip`, or `?archive=tgz`) nor a repository, which has `git::` before it
    "https://alice:secret@example.org/x.zip"
        ! there is a password in its URL: leave it to git's credential helpers, or an SSH key
    "https://example.org/x.zip?checksum=md5:1"
        ! it needs no `checksum`: the lock file has one of what is in it
    "git::./relative"
        ! it is a path on this machine: write `./path` for a folder, or `git::file:///path` for a repository
    "git::/srv/x.git"
        ! it is a path on this machine: write `./path` for a folder, or `git::file:///path` for a repository
    "git::https://alice:secret@example.org/x.git"
        ! there is a password in its URL: leave it to git's credential helpers, or an SSH key
    "git::https://ghp_abcdef@example.org/x.git"
        ! there is a password in its URL: leave it to git's credential helpers, or an SSH key
    "git::ext::sh -c touch% /tmp/evil"
        ! it has a ' ' in it, which no source has
    "git::ext::sh"
        ! `ext::` lets git run a program, which Bimetal does not allow
    "git::ext://sh"
        ! git may not fetch over `ext`, only over https, ssh, http, git, file
    "git::fd::17"
        ! `fd::` lets git run a program, which Bimetal does not allow
    "git::--upload-pack=touch"
        ! it is a path on this machine: write `./path` for a folder, or `git::file:///path` for a repository
    "git::ssh://-oProxyCommand=touch/x"
        ! `-oProxyCommand=touch` is no host's name
    "git::ssh://-l@example.org/x"
        ! the user's name in its URL is none
    "git::-oProxyCommand=touch:x"
        ! `-oProxyCommand=touch` is no `user@host`
    "git::git@-oProxyCommand=touch:x"
        ! `git@-oProxyCommand=touch` is no `user@host`
    "git::git@example.org:-x"
        ! `-x` is no path of a repository
    "git::git@example.org:../x"
        ! `../x` is no path of a repository
    "git::https://example.org/acme/../evil/x.git"
        ! its path has `.` or `..`, or an escaped slash or dot
    "git::https://example.org/acme/%2e%2e/evil/x.git"
        ! its path has `.` or `..`, or an escaped slash or dot
    "git::https://example.org/acme/..%2fevil"
        ! its path has `.` or `..`, or an escaped slash or dot
    "git::https://example.org/"
        ! it names a server, and nothing on it
    "git::https://example.org/x.git//../.."
        ! `//../..` does not name a folder inside
    "git::https://example.org/x.git?ref=--upload-pack=touch"
        ! `ref=--upload-pack=touch` is no branch, tag or commit: it looks like an option
    "git::https://example.org/x.git?ref=a..b"
        ! `ref=a..b` is no branch, tag or commit: it has `..` in it, which is for ranges
    "git::https://example.org/x.git?ref=HEAD~1"
        ! `ref=HEAD~1` is no branch, tag or commit: it has a blank, or one of `~^:?*[\`, in it
    "git::https://example.org/x.git?ref="
        ! `ref=` is no branch, tag or commit: it is empty
    "git::https://example.org/x.git?ref=a&ref=b"
        ! it has `ref` twice
    "git::https://example.org/x.git?sshkey=AAAA"
        ! `sshkey` would put a key into it: name the key in your SSH configuration
    "git::https://example.org/x.git#v1"
        ! it has a '#' in it, which no source has
    "git::https://example.org/x.git\n"
        ! it has a '\n' in it, which no source has
    "oci://web"
        ! `web` is no artifact, as `registry.example.org/team/web:1.2.0` is one
    "oci://registry.example.org/Web"
        ! `registry.example.org/Web` is no artifact, as `registry.example.org/team/web:1.2.0` is one
    "oci://registry.example.org/web@sha256:1"
        ! `registry.example.org/web@sha256:1` is no artifact, as `registry.example.org/team/web:1.2.0` is one
    "#);
}

#[test]
fn a_reference_has_an_end() {
    let read = |length| Source::parse(&format!("git::https://e.org/x.git?ref={}", "a".repeat(length)));
    assert!(read(255).is_ok() && read(256).is_err());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        let _ = Source::parse(&text);
    }

    #[test]
    fn what_is_displayed_is_read_back(
        begin in "(git::)?(https://|ssh://|git://|file://|http://|oci://|github.com/|git@h:|[a-z]@)?",
        rest in "[a-zA-Z0-9/.:@%_?=&~+-]{0,24}",
        end in "(\\.zip|\\.tar\\.gz|\\.git|/x)?(//[a-z./%]{1,6})?(\\?(ref|archive|tag|a)=[a-z0-9%/.@&=+-]{0,8})?",
    ) {
        let text = format!("{begin}{rest}{end}");
        if let Ok(Some(source)) = Source::parse(&text) {
            let shown = source.to_string();
            prop_assert_eq!(Source::parse(&shown), Ok(Some(source)), "{} {}", text, shown);
        }
    }
}
