//! What is wrong with what a test says of objects.

use bimetal_model::convert::convert;
use bimetal_model::port::Predict;
use bimetal_model::schema::{Role, TypeSchema};
use bimetal_model::{BlockKind, Diagnostic, Diagnostics, ProviderKey, Value};

use crate::doubles::{Doubles, Mock, Override, Values, is_meant};

impl Doubles {
    /// Types that there are not, attributes that nobody computes, values that don't fit.
    pub fn check(&self, predict: &dyn Predict) -> Diagnostics {
        let mocks = self.mocks.iter().flat_map(|(key, mock)| check_mock(key, mock, predict));
        mocks.chain(self.overrides.iter().flat_map(|by| self.check_override(by, predict))).collect()
    }

    fn check_override(&self, by: &Override, predict: &dyn Predict) -> Diagnostics {
        let target = by.target.whole();
        let Some((_, owner)) = self.owners.iter().find(|(block, _)| is_meant(&target, block)) else {
            let error = Diagnostic::error(format!("`{}` is not declared", by.target)).at(&by.values.span);
            return vec![error.hint("a test can only stand for what is under test")];
        };
        let Ok(schema) = predict.schema(&owner.provider.name) else { return Diagnostics::new() };
        let types = if by.target.block == BlockKind::Data { &schema.data } else { &schema.managed };
        types.get(&owner.ty).map(|schema| check_values(&owner.ty, schema, &by.values)).unwrap_or_default()
    }
}

fn check_mock(key: &ProviderKey, mock: &Mock, predict: &dyn Predict) -> Diagnostics {
    let Ok(schema) = predict.schema(&key.name) else { return Diagnostics::new() };
    let mut said = Diagnostics::new();
    if let Some(values) = &mock.machine {
        match schema.managed.iter().find(|(_, ty)| ty.role == Some(Role::Machine)) {
            Some((ty, schema)) => said.extend(check_values(ty, schema, values)),
            None => said.push(Diagnostic::error(format!("provider `{key}` makes no machines")).at(&values.span)),
        }
    }
    for (of_mock, of_schema) in [(&mock.managed, &schema.managed), (&mock.data, &schema.data)] {
        for (ty, values) in of_mock {
            match of_schema.get(ty) {
                Some(schema) => said.extend(check_values(ty, schema, values)),
                None => {
                    let known: Vec<String> = of_schema.keys().map(|ty| format!("`{ty}`")).collect();
                    let error = Diagnostic::error(format!("provider `{key}` has no `{ty}`")).at(&values.span);
                    said.push(error.hint(format!("it has {}", known.join(", "))));
                }
            }
        }
    }
    said
}

fn check_values(ty: &str, schema: &TypeSchema, values: &Values) -> Diagnostics {
    let Some(members) = values.value.as_members() else {
        let error = Diagnostic::error("values by the names of attributes are wanted here").at(&values.span);
        return vec![error.hint("write `{ name = value }`")];
    };
    members
        .iter()
        .filter_map(|(name, value)| check_attribute(ty, schema, name, value))
        .map(|d| d.at(&values.span))
        .collect()
}

fn check_attribute(ty: &str, schema: &TypeSchema, name: &str, value: &Value) -> Option<Diagnostic> {
    let computed = schema.block.attributes.iter().filter(|(_, attribute)| attribute.computed);
    let hint = || {
        let names: Vec<String> = computed.map(|(name, _)| format!("`{name}`")).collect();
        match names.is_empty() {
            true => format!("a provider computes nothing of `{ty}`"),
            false => format!("a provider computes {}", names.join(", ")),
        }
    };
    match schema.block.attributes.get(name) {
        None => Some(Diagnostic::error(format!("`{ty}` has no attribute `{name}`")).hint(hint())),
        Some(attribute) if !attribute.computed => {
            let error = Diagnostic::error(format!("`{name}` of `{ty}` is what its block says, and nothing else"));
            Some(error.hint(hint()))
        }
        Some(attribute) => convert(value.clone(), &attribute.ty).err().map(|mismatch| {
            Diagnostic::error(format!("the value of `{name}` does not fit its type")).because(mismatch.reason)
        }),
    }
}
