//! Asks the world what a plan wants to know, all of it at the same time.

use bimetal_model::event::{Event, Notify};
use bimetal_model::port::Refusal;
use bimetal_model::question::{Answers, Inquiry, Question};
use bimetal_model::snapshot::{Object, Snapshot};
use bimetal_model::{Diagnostic, Diagnostics, Type, Value};
use futures::StreamExt as _;

use crate::{Calls, marks};

/// Answers every question; a failure is an answer too.
pub async fn answer(questions: Vec<Question>, answers: &mut Answers, calls: &Calls<'_>) {
    let asked = questions.into_iter().map(|question| ask(question, calls));
    let mut told = futures::stream::iter(asked).buffer_unordered(calls.at_once());
    while let Some(one) = told.next().await {
        note(answers, one);
    }
}

/// Answers every question with what state remembers of machines; what else would have to be asked for is a failure that says what
/// is missing.
pub fn answer_offline(questions: Vec<Question>, answers: &mut Answers, snapshot: &Snapshot) {
    for question in questions {
        note(answers, recall(question, snapshot));
    }
}

/// As [`answer_offline`], for who only compares: what data sources say, and what is opened, stays unknown.
pub fn answer_open(questions: Vec<Question>, answers: &mut Answers, snapshot: &Snapshot) {
    for question in questions {
        note(
            answers,
            match question {
                Question::Data(inquiry) => Told::Data(inquiry, Ok(Value::unknown(Type::Any))),
                Question::Open(inquiry) => Told::Opened(inquiry, Ok(Value::unknown(Type::Any))),
                Question::Facts(_) | Question::Import(..) | Question::Image(_) => recall(question, snapshot),
            },
        );
    }
}

fn recall(question: Question, snapshot: &Snapshot) -> Told {
    let missing = |what: String, hint: &str| vec![Diagnostic::error(format!("{what} is not known offline")).hint(hint)];
    match question {
        Question::Facts(inquiry) => {
            let remembered = snapshot.objects.get(&inquiry.address).filter(|stored| stored.ty == inquiry.ty);
            let facts = remembered.map(|stored| stored.object.value.clone()).ok_or_else(|| {
                let what = format!("the kind of the machine `{}`", inquiry.address);
                missing(what, "set `platform`, as `platform = \"linux/arm64\"`; or plan without `-offline`, or apply, once: then it is known")
            });
            Told::Facts(inquiry, facts)
        }
        Question::Data(inquiry) => {
            let data =
                missing(format!("what `{}` says", inquiry.address), "plan without `-offline`: it has to be read");
            Told::Data(inquiry, Err(data.into()))
        }
        Question::Open(inquiry) => {
            let why = "nobody is asked offline".to_owned();
            Told::Opened(inquiry, Err(Refusal::Deferred(why)))
        }
        Question::Import(inquiry, id) => {
            let what = format!("`{id}`, which is to become `{}`,", inquiry.address);
            Told::Import(inquiry, Err(missing(what, "plan without `-offline`: it has to be looked at")))
        }
        Question::Image(source) => {
            let hint = "it is not in `bimetal.lock.hcl`: a plan without `--offline` puts it there";
            let index = missing(format!("what the image `{source}` offers"), hint);
            Told::Image(source, Err(index))
        }
    }
}

fn note(answers: &mut Answers, told: Told) {
    match told {
        Told::Facts(inquiry, facts) => drop(answers.facts.insert(inquiry.address, facts)),
        Told::Data(inquiry, data) => drop(answers.data.insert(inquiry.address, data)),
        Told::Opened(inquiry, value) => drop(answers.opened.insert(inquiry.address, value)),
        Told::Image(source, index) => drop(answers.images.insert(source, index)),
        Told::Import(inquiry, object) => drop(answers.imports.insert(inquiry.address, object)),
    }
}

enum Told {
    Facts(Inquiry, Result<Value, Diagnostics>),
    Data(Inquiry, Result<Value, Refusal>),
    Image(bimetal_model::image::ImageSource, Result<bimetal_model::image::ImageIndex, Diagnostics>),
    Import(Inquiry, Result<Object, Diagnostics>),
    Opened(Inquiry, Result<Value, Refusal>),
}

async fn ask(question: Question, calls: &Calls<'_>) -> Told {
    let (operate, notify) = (calls.operate, calls.notify);
    match question {
        Question::Facts(inquiry) => {
            let Inquiry { address, provider, ty, config } = &inquiry;
            let facts = told(&inquiry, notify, operate.discover(provider, ty, address, config)).await;
            Told::Facts(inquiry, facts.map_err(Refusal::diagnostics))
        }
        Question::Data(inquiry) => {
            let Inquiry { address, provider, ty, config } = &inquiry;
            let data = told(&inquiry, notify, operate.read_data(provider, ty, address, config)).await;
            Told::Data(inquiry, data)
        }
        Question::Import(inquiry, id) => {
            let Inquiry { address, provider, ty, config } = &inquiry;
            let object = told(&inquiry, notify, operate.import(provider, ty, address, &id, config)).await;
            let object = object
                .map_err(Refusal::diagnostics)
                .map(|object| Object { value: marks::carry(object.value, config), ..object });
            Told::Import(inquiry, object)
        }
        Question::Open(inquiry) => {
            let Inquiry { address, provider, ty, config } = &inquiry;
            let opened = calls.lend.open(provider, ty, address, config).await;
            let opened = opened.map(|opened| opened.value).map_err(|refusal| refusal.of(address));
            Told::Opened(inquiry, opened)
        }
        Question::Image(source) => {
            notify.notify(Event::Busy { message: format!("resolving {source}") });
            let index = operate.image(&source).await;
            Told::Image(source, index)
        }
    }
}

async fn told<T, E: Into<Refusal>>(
    inquiry: &Inquiry,
    notify: &dyn Notify,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, Refusal> {
    let action = "read";
    notify.notify(Event::Started { address: inquiry.address.clone(), action });
    let answer = call.await.map_err(Into::into);
    let address = inquiry.address.clone();
    notify.notify(match &answer {
        Ok(_) => Event::Finished { address, action },
        Err(Refusal::Failed(said)) => Event::Failed { address, action, diagnostics: said.clone() },
        Err(Refusal::Deferred(why)) => Event::Deferred { address, action, because: why.clone() },
    });
    answer.map_err(|refusal| refusal.of(&inquiry.address))
}
