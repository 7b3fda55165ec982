//! `digitalocean_tag`: a word that droplets and firewalls share.
//!
//! Tags come into being by being used, so that one that is there already is as good as a new one; for the same reason one that
//! somebody still uses stays.

use bimetal_provider::{Create, Deletion, Deserialize, Diagnostic, Outcome, Resource, Result, Schema, Serialize, json};

use crate::DigitalOcean;
use crate::api::{Failure, deletion, outcome};

/// A tag.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Tag {
    /// Letters, digits, `:`, `-` and `_`
    #[attr(force_new, unique)]
    name: String,
}

/// What is wrong with a tag's name.
pub(crate) fn check(name: &str) -> Option<Diagnostic> {
    let fits = (1..=255).contains(&name.len());
    let is_fine = fits && name.chars().all(|c| c.is_ascii_alphanumeric() || ":-_".contains(c));
    let error = || Diagnostic::error(format!("`{name}` is no tag"));
    (!is_fine).then(|| error().hint("tags have up to 255 letters, digits, `:`, `-` and `_`"))
}

impl Resource for Tag {
    type Provider = DigitalOcean;
    const NAME: &'static str = "digitalocean_tag";

    fn validate(&self) -> Vec<Diagnostic> {
        check(&self.name).map(|wrong| wrong.at("name")).into_iter().collect()
    }

    fn read(provider: &DigitalOcean, tags: Vec<Tag>) -> Vec<Result<Option<Tag>>> {
        let look = |tag: Tag| Ok(provider.api.get(&format!("tags/{}", tag.name))?.map(|_| tag));
        tags.into_iter().map(look).collect()
    }

    fn probe(provider: &DigitalOcean, _: &str, tag: Tag) -> Result<Option<Tag>> {
        Tag::read(provider, vec![tag]).remove(0)
    }

    fn create(provider: &DigitalOcean, requests: Vec<Create<Tag>>) -> Vec<Outcome<Tag>> {
        let make = |tag: Tag| provider.api.post("tags", "tag", &json!({ "name": tag.name })).map(|_| tag);
        requests.into_iter().map(|request| outcome(make(request.config), None)).collect()
    }

    fn delete(provider: &DigitalOcean, tag: Tag) -> Deletion {
        deletion(remove(provider, &tag.name))
    }

    fn import(provider: &DigitalOcean, id: &str, _: Self) -> Result<Tag> {
        let tag = Tag { name: id.to_owned() };
        Tag::read(provider, vec![tag]).remove(0)?.ok_or_else(|| Diagnostic::error(format!("there is no tag `{id}`")))
    }
}

/// One that nobody uses any more.
fn remove(provider: &DigitalOcean, name: &str) -> std::result::Result<(), Failure> {
    let path = format!("tags/{name}");
    match provider.api.get(&path)? {
        Some(found) if found["tag"]["resources"]["count"].as_u64().unwrap_or(0) == 0 => {
            provider.api.delete(&path, None)
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use bimetal_provider::json;

    use crate::testing::Account;

    #[test]
    fn a_tag_that_is_used_elsewhere_stays() {
        let account = Account::default();
        let driver = account.driver();
        let config = json!({ "name": "web" });
        let made = driver.create("digitalocean_tag", "i-1", &config).unwrap();
        assert_eq!(driver.read("digitalocean_tag", std::slice::from_ref(&made)), [Ok(Some(made.clone()))]);
        account.0.borrow_mut().things.get_mut("tags/web").unwrap()["resources"] = json!({ "count": 1 });
        driver.delete("digitalocean_tag", &made).unwrap();
        assert_eq!(account.paths(), ["tags/web"]);
    }
}
