//! `digitalocean_vpc`: a private network of a region.

use bimetal_provider::{
    Create, Deletion, Deserialize, Diagnostic, Json, Outcome, Resource, Result, Schema, Serialize, json,
};

use crate::DigitalOcean;
use crate::api::{Api, Failure, deletion, outcome, text};
use crate::stamp::{self, Named};

/// A private network.
#[derive(Clone, Debug, Schema, Serialize, Deserialize)]
pub(crate) struct Vpc {
    /// Letters, digits, `.` and `-`; no two of an account have the same
    #[attr(unique_name)]
    name: String,
    /// `fra1`
    #[attr(force_new)]
    region: String,
    /// `10.10.0.0/24`; chosen by DigitalOcean unless said
    #[attr(computed, force_new, unique)]
    ip_range: Option<String>,
    /// For people
    description: Option<String>,
    #[attr(read_only)]
    id: Option<String>,
    #[attr(read_only)]
    urn: Option<String>,
}

impl Vpc {
    /// As asked for, with what the account adds.
    fn told(&self, document: &Json) -> Vpc {
        let of = |name: &str| text(&document[name]);
        Vpc { id: of("id"), urn: of("urn"), ip_range: self.ip_range.clone().or_else(|| of("ip_range")), ..self.clone() }
    }

    /// What can be another in place.
    fn seen(self, document: &Json) -> Vpc {
        let name = text(&document["name"]).unwrap_or_default();
        let description = text(&document["description"]).filter(|description| !description.is_empty());
        Vpc { name, description, ..self }.told(document)
    }
}

struct OfVpc<'a>(&'a Api, &'a Vpc);

impl Named for OfVpc<'_> {
    fn all(&self) -> std::result::Result<Vec<Json>, Failure> {
        self.0.list("vpcs", "vpcs")
    }

    fn make(&self, name: &str) -> std::result::Result<Json, Failure> {
        let mut body = json!({ "name": name, "region": self.1.region });
        if let Some(range) = &self.1.ip_range {
            body["ip_range"] = json!(range);
        }
        self.0.post("vpcs", "vpc", &body)
    }

    fn finish(&self, id: &str) -> std::result::Result<Json, Failure> {
        let description = self.1.description.as_deref().unwrap_or_default();
        self.0.put(&format!("vpcs/{id}"), "vpc", &json!({ "name": self.1.name, "description": description }))
    }
}

impl Resource for Vpc {
    type Provider = DigitalOcean;
    const NAME: &'static str = "digitalocean_vpc";

    fn read(provider: &DigitalOcean, vpcs: Vec<Vpc>) -> Vec<Result<Option<Vpc>>> {
        let all = provider.api.list("vpcs", "vpcs").map_err(Diagnostic::from);
        let look = |vpc: Vpc| {
            let all = all.as_ref().map_err(Clone::clone)?;
            Ok(all.iter().find(|one| text(&one["id"]) == vpc.id).map(|found| vpc.seen(found)))
        };
        vpcs.into_iter().map(look).collect()
    }

    fn probe(provider: &DigitalOcean, intent: &str, vpc: Vpc) -> Result<Option<Vpc>> {
        Ok(stamp::find(&OfVpc(&provider.api, &vpc), intent)?.map(|found| vpc.told(&found)))
    }

    fn create(provider: &DigitalOcean, requests: Vec<Create<Vpc>>) -> Vec<Outcome<Vpc>> {
        let make = |request: Create<Vpc>| {
            let named = OfVpc(&provider.api, &request.config);
            stamp::create(&request, &named, |vpc| vpc.id.as_deref(), |document| request.config.told(document))
        };
        requests.into_iter().map(make).collect()
    }

    fn update(provider: &DigitalOcean, prior: Vpc, vpc: Vpc) -> Outcome<Vpc> {
        let id = prior.id.clone().unwrap_or_default();
        let ip_range = vpc.ip_range.clone().or(prior.ip_range.clone());
        let vpc = Vpc { ip_range, ..vpc };
        outcome(OfVpc(&provider.api, &vpc).finish(&id).map(|document| vpc.told(&document)), Some(prior))
    }

    /// One that still has members is asked about again: droplets take a while to leave.
    fn delete(provider: &DigitalOcean, vpc: Vpc) -> Deletion {
        let Some(id) = &vpc.id else { return Deletion::Done };
        deletion(provider.api.delete(&format!("vpcs/{id}"), None))
    }

    fn import(provider: &DigitalOcean, id: &str, _: Self) -> Result<Vpc> {
        let found = provider.api.get(&format!("vpcs/{id}"))?;
        let found = found.ok_or_else(|| Diagnostic::error(format!("the account has no VPC `{id}`")))?;
        let region = text(&found["vpc"]["region"]).unwrap_or_default();
        let vpc = Vpc { name: String::new(), region, ip_range: None, description: None, id: None, urn: None };
        Ok(vpc.seen(&found["vpc"]))
    }
}
