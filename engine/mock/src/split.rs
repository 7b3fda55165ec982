//! Some for the doubles, the rest for who is real; the answers in the order of the questions.

use std::future::Future;

/// Each question's own place, and its answer where a double gave it.
struct Split<T, R> {
    answers: Vec<Option<R>>,
    rest: Vec<T>,
}

fn begin<T, R>(all: Vec<T>, is_double: impl Fn(&T) -> bool, mut double: impl FnMut(T) -> R) -> Split<T, R> {
    let mut split = Split { answers: Vec::new(), rest: Vec::new() };
    for one in all {
        match is_double(&one) {
            true => split.answers.push(Some(double(one))),
            false => {
                split.answers.push(None);
                split.rest.push(one);
            }
        }
    }
    split
}

/// Who answers too little is found out by who asked.
fn end<R>(answers: Vec<Option<R>>, rest: Vec<R>) -> Vec<R> {
    let mut rest = rest.into_iter();
    answers.into_iter().filter_map(|answer| answer.or_else(|| rest.next())).collect()
}

/// Nobody is asked nothing.
pub(crate) fn split_now<T, R>(
    all: Vec<T>,
    is_double: impl Fn(&T) -> bool,
    double: impl FnMut(T) -> R,
    real: impl FnOnce(Vec<T>) -> Vec<R>,
) -> Vec<R> {
    let Split { answers, rest } = begin(all, is_double, double);
    let rest = if rest.is_empty() { Vec::new() } else { real(rest) };
    end(answers, rest)
}

/// As [`split_now`], where who is real takes time.
pub(crate) async fn split<T, R, F: Future<Output = Vec<R>>>(
    all: Vec<T>,
    is_double: impl Fn(&T) -> bool,
    double: impl FnMut(T) -> R,
    real: impl FnOnce(Vec<T>) -> F,
) -> Vec<R> {
    let Split { answers, rest } = begin(all, is_double, double);
    let rest = if rest.is_empty() { Vec::new() } else { real(rest).await };
    end(answers, rest)
}
