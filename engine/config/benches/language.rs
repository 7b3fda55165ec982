//! What large configurations cost: from their text to all instances and values, with the memory that this takes.

use std::fmt::Write as _;

use bimetal_allocator::Allocator;
use bimetal_config::{Desired, Given, Outside, SourceFile, derive, desired, evaluate, expand};
use divan::{AllocProfiler, Bencher};

/// The one of the program.
#[global_allocator]
static ALLOCATOR: AllocProfiler<Allocator> = AllocProfiler::new(Allocator);

fn main() {
    divan::main();
}

/// Gives back what was freed: each sample begins with no memory at hand, as a command does.
fn afresh<T>(inputs: T) -> T {
    bimetal_allocator::give_back();
    inputs
}

fn source(name: &str, text: String) -> SourceFile {
    SourceFile { name: name.into(), text: text.into() }
}

/// Reads, puts in order, and works out every local, instance and argument.
fn whole(files: &[SourceFile]) -> usize {
    let (desired, diagnostics) = desired(files.to_vec(), Given::default(), Outside::default());
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    values(&desired)
}

fn values(desired: &Desired) -> usize {
    let mut scope = desired.scope();
    let mut count = 0;
    for node in desired.order.iter() {
        derive(&desired.module, node, &mut scope).expect("it has a value");
    }
    for block in desired.module.objects.values() {
        for instance in expand(&block.repetition, &scope).expect("its keys are known") {
            (scope.each, scope.count_index) = (instance.each, instance.count_index);
            for attribute in block.body.attributes.values() {
                evaluate(&attribute.expression, &scope).expect("it has a value");
                count += 1;
            }
        }
        (scope.each, scope.count_index) = (None, None);
    }
    count
}

/// Each with three arguments.
fn blocks(count: usize) -> Vec<SourceFile> {
    let mut text = String::from("locals {\n  prefix = \"site\"\n  zone   = \"fra1\"\n}\n");
    for at in 0..count {
        let _ = write!(
            text,
            "resource \"docker_volume\" \"v{at}\" {{\n  name   = \"${{local.prefix}}-{at}\"\n  driver = \"local\"\n  labels = {{ zone = local.zone, at = {at} }}\n}}\n"
        );
    }
    vec![source("main.bm.hcl", text)]
}

#[divan::bench(args = [10_000, 100_000], sample_count = 5, sample_size = 1)]
fn resource_blocks_of_three_arguments(bencher: Bencher, count: usize) {
    bencher.with_inputs(|| afresh(blocks(count))).bench_refs(|files| assert_eq!(whole(files), 3 * count));
}

#[divan::bench(args = [10_000, 100_000], sample_count = 5, sample_size = 1)]
fn for_each_over_keys(bencher: Bencher, count: usize) {
    let text = format!(
        "locals {{\n  keys = toset([for at in range({count} / 1000) : \"a${{at}}\"])\n  all = {{ for pair in setproduct(local.keys, [for at in range(1000) : at]) : \"${{pair[0]}}-${{pair[1]}}\" => pair[1] }}\n}}\nresource \"docker_volume\" \"v\" {{\n  for_each = local.all\n  name     = each.key\n}}\n"
    );
    let files = [source("main.bm.hcl", text)];
    bencher.bench(|| assert_eq!(whole(&files), count));
}

#[divan::bench(args = [1_000, 10_000], sample_count = 5, sample_size = 1)]
fn chain_of_references(bencher: Bencher, count: usize) {
    let mut text = String::from("locals {\n  l0 = 1\n");
    for at in 1..count {
        let _ = writeln!(text, "  l{at} = local.l{} + 1", at - 1);
    }
    let files = [source("main.bm.hcl", text + "}\n")];
    bencher.bench(|| whole(&files));
}

#[divan::bench(args = [1_000, 10_000], sample_count = 5, sample_size = 1)]
fn modules(bencher: Bencher, count: usize) {
    let mut text = String::new();
    for at in 0..count {
        let _ = write!(text, "module \"m{at}\" {{\n  source = \"./m\"\n  name   = \"n{at}\"\n}}\n");
    }
    let inner = "variable \"name\" {\n  type = string\n}\nresource \"docker_volume\" \"v\" {\n  name = var.name\n}\noutput \"name\" {\n  value = var.name\n}\n";
    let files = [source("main.bm.hcl", text), source("m/main.bm.hcl", inner.to_owned())];
    bencher.bench(|| assert_eq!(whole(&files), count));
}
