//! Asks the world what a plan wants to know, all of it at the same time.

use bimetal_model::Diagnostics;
use bimetal_model::event::{Event, Notify};
use bimetal_model::port::Operate;
use bimetal_model::question::{Answers, Inquiry, Question};
use bimetal_model::snapshot::Object;
use futures::StreamExt as _;

use crate::{CALLS, marks};

/// Answers every question; a failure is an answer too.
pub async fn answer(questions: Vec<Question>, answers: &mut Answers, operate: &dyn Operate, notify: &dyn Notify) {
    let calls = questions.into_iter().map(|question| ask(question, operate, notify));
    let mut told = futures::stream::iter(calls).buffer_unordered(CALLS);
    while let Some(one) = told.next().await {
        match one {
            Told::Facts(inquiry, facts) => drop(answers.facts.insert(inquiry.address, facts)),
            Told::Data(inquiry, data) => drop(answers.data.insert(inquiry.address, data)),
            Told::Image(source, index) => drop(answers.images.insert(source, index)),
            Told::Import(inquiry, object) => drop(answers.imports.insert(inquiry.address, object)),
        }
    }
}

enum Told {
    Facts(Inquiry, Result<bimetal_model::Value, Diagnostics>),
    Data(Inquiry, Result<bimetal_model::Value, Diagnostics>),
    Image(bimetal_model::image::ImageSource, Result<bimetal_model::image::ImageIndex, Diagnostics>),
    Import(Inquiry, Result<Object, Diagnostics>),
}

async fn ask(question: Question, operate: &dyn Operate, notify: &dyn Notify) -> Told {
    match question {
        Question::Facts(inquiry) => {
            let Inquiry { address, provider, ty, config } = &inquiry;
            let facts = told(&inquiry, notify, operate.discover(provider, ty, address, config)).await;
            Told::Facts(inquiry, facts)
        }
        Question::Data(inquiry) => {
            let Inquiry { address, provider, ty, config } = &inquiry;
            let data = told(&inquiry, notify, operate.read_data(provider, ty, address, config)).await;
            Told::Data(inquiry, data)
        }
        Question::Import(inquiry, id) => {
            let Inquiry { address, provider, ty, config } = &inquiry;
            let object = told(&inquiry, notify, operate.import(provider, ty, address, &id, config)).await;
            let object = object.map(|object| Object { value: marks::carry(object.value, config), ..object });
            Told::Import(inquiry, object)
        }
        Question::Image(source) => {
            notify.notify(Event::Busy { message: format!("resolving {source}") });
            let index = operate.image(&source).await;
            Told::Image(source, index)
        }
    }
}

async fn told<T>(
    inquiry: &Inquiry,
    notify: &dyn Notify,
    call: impl Future<Output = Result<T, Diagnostics>>,
) -> Result<T, Diagnostics> {
    let action = "read";
    notify.notify(Event::Started { address: inquiry.address.clone(), action });
    let answer = call.await;
    let address = inquiry.address.clone();
    notify.notify(match &answer {
        Ok(_) => Event::Finished { address, action },
        Err(diagnostics) => Event::Failed { address, action, diagnostics: diagnostics.clone() },
    });
    answer.map_err(|said| said.into_iter().map(|diagnostic| diagnostic.of(&inquiry.address)).collect())
}
