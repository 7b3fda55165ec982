//! A request, taken apart; what every request must have; and lists in pages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::reply::{Answer, Reply};
use super::shape::Shape;

/// A request that was read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
    /// `http://…`, for links.
    pub(crate) base: String,
}

impl Request {
    /// The document in it, of that shape.
    pub(crate) fn document(&self, shape: &Shape) -> Result<Value, Reply> {
        if self.content_type.as_deref().is_none_or(|kind| !kind.starts_with("application/json")) {
            return Err(Reply::error(415, "unsupported_media_type", "the content type must be application/json"));
        }
        let document = serde_json::from_slice(&self.body);
        let document = document.map_err(|error| Reply::error(400, "bad_request", error.to_string()))?;
        shape.check(&document, "the body").map_err(Reply::refused)?;
        Ok(document)
    }

    /// Refuses questions that are not documented.
    pub(crate) fn allow_query(&self, known: &[&str]) -> Result<(), Reply> {
        match self.query.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => Err(Reply::refused(format!("{} has no parameter {unknown}", self.path))),
            None => Ok(()),
        }
    }

    /// One page of a list, with links to the others.
    pub(crate) fn page(&self, noun: &str, items: Vec<Value>) -> Answer {
        let number = |name: &str, otherwise: usize| {
            let number = self.query.get(name).map_or(Ok(otherwise), |text| text.parse());
            number.map_err(|_| Reply::refused(format!("{name} must be a number")))
        };
        let (page, size) = (number("page", 1)?, number("per_page", 20)?);
        if page == 0 || !(1..=200).contains(&size) {
            return Err(Reply::refused("page begins with 1, and per_page is from 1 to 200"));
        }
        let (total, last) = (items.len(), items.len().div_ceil(size).max(1));
        let mut pages = serde_json::Map::new();
        let mut link = |name: &str, page: usize| pages.insert(name.to_owned(), self.link(page, size).into());
        if page > 1 {
            link("first", 1);
            link("prev", page - 1);
        }
        if page < last {
            link("next", page + 1);
            link("last", last);
        }
        let links = if pages.is_empty() { json!({}) } else { json!({ "pages": pages }) };
        let shown: Vec<_> = items.into_iter().skip((page - 1) * size).take(size).collect();
        Ok(Reply::new(200, json!({ noun: shown, "links": links, "meta": { "total": total } })))
    }

    fn link(&self, page: usize, size: usize) -> String {
        let others = self.query.iter().filter(|(name, _)| !["page", "per_page"].contains(&name.as_str()));
        let others: String = others.map(|(name, value)| format!("&{name}={value}")).collect();
        format!("{}{}?page={page}&per_page={size}{others}", self.base, self.path)
    }
}

/// `a=b&c=d`, with `%xx` read.
pub(crate) fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

pub(crate) fn decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => bytes.extend(part.as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_query_is_decoded() {
        let query = super::query("tag_name=bimetal%3Aa&page=2");
        assert_eq!(query["tag_name"], "bimetal:a");
        assert_eq!(query["page"], "2");
    }
}
