//! What was written, as a tree. Every part knows its place.

use bimetal_model::Number;

use crate::source::Place;

/// Arguments and blocks in their order.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// As they were written.
    pub items: Vec<Item>,
}

/// Something in a body.
#[derive(Clone, Debug)]
pub enum Item {
    /// `name = value`
    Attribute(Attribute),
    /// `word "label" { … }`
    Block(Block),
}

/// `name = value`
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Before the `=`.
    pub name: Name,
    /// Behind it.
    pub value: Node,
}

/// `word "label" { … }`
#[derive(Clone, Debug)]
pub struct Block {
    /// What kind of block it is.
    pub word: Name,
    /// In quotes or without.
    pub labels: Vec<Name>,
    /// What stands between its braces.
    pub body: Body,
}

impl Block {
    /// From its word to its last label.
    pub fn header(&self) -> Place {
        self.labels.last().map_or(self.word.place, |last| self.word.place.to(last.place))
    }
}

/// A word that names something.
#[derive(Clone, Debug)]
pub struct Name {
    /// Without quotes.
    pub text: Box<str>,
    /// Where.
    pub place: Place,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: Kind,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `1.5e3`
    Number(Box<Number>),
    /// Text without anything to put into it, quoted or a heredoc.
    Text(Box<str>),
    /// Text with something to put into it.
    Template(Vec<Part>),
    /// `[a, b]`
    Tuple(Vec<Node>),
    /// `{ a = b }`
    Object(Vec<Member>),
    /// `(a)`
    Parentheses(Box<Node>),
    /// A name that stands alone.
    Name(Box<str>),
    /// `a.b[c]`
    Traversal(Box<Traversal>),
    /// `f(a)`
    Call(Box<Call>),
    /// `a ? b : c`
    Conditional(Box<Conditional>),
    /// `-a`, `!a`
    Unary(Box<Unary>),
    /// `a + b`
    Binary(Box<Binary>),
    /// `[for …]`, `{for …}`
    For(Box<For>),
}

/// A part of a template. White space that its markers strip is gone already.
#[derive(Clone, Debug)]
pub enum Part {
    /// As it is.
    Literal(Box<str>),
    /// `${ … }`
    Value(Node),
    /// `%{ if … } … %{ else } … %{ endif }`
    If(Box<IfDirective>),
    /// `%{ for … } … %{ endfor }`
    For(Box<ForDirective>),
}

/// `%{ if … } … %{ else } … %{ endif }`
#[derive(Clone, Debug)]
pub struct IfDirective {
    /// Which of the two.
    pub condition: Node,
    /// Where it is true.
    pub yes: Vec<Part>,
    /// Where it is false.
    pub no: Vec<Part>,
}

/// `%{ for key, value in … } … %{ endfor }`
#[derive(Clone, Debug)]
pub struct ForDirective {
    /// What is gone through, and by which names.
    pub intro: Intro,
    /// Put in for each.
    pub parts: Vec<Part>,
}

/// `for key, value in collection`
#[derive(Clone, Debug)]
pub struct Intro {
    /// The first name where there are two.
    pub key: Option<Name>,
    /// The only or the second name.
    pub value: Name,
    /// What is gone through.
    pub collection: Node,
}

/// `key = value` in an object.
#[derive(Clone, Debug)]
pub struct Member {
    /// A name that stands alone is its own text.
    pub key: Node,
    /// Behind `=` or `:`.
    pub value: Node,
}

/// A way into a value.
#[derive(Clone, Debug)]
pub struct Traversal {
    /// Where it begins.
    pub root: Node,
    /// One at least.
    pub steps: Vec<Step>,
}

/// A step into a value.
#[derive(Clone, Debug)]
pub struct Step {
    /// With its dot or brackets.
    pub place: Place,
    /// What.
    pub kind: StepKind,
}

/// What a step is.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// `.name`
    Attribute(Box<str>),
    /// `.0`
    LegacyIndex(Box<Number>),
    /// `[index]`
    Index(Box<Node>),
    /// `.*`: of each, by the attributes and legacy indices that follow at once.
    AttributeSplat,
    /// `[*]`: of each, by everything that follows.
    FullSplat,
}

/// `name(arguments…)`
#[derive(Clone, Debug)]
pub struct Call {
    /// With its namespaces: `provider::name::function`.
    pub name: Name,
    /// In their order.
    pub arguments: Vec<Node>,
    /// Whether the last one is a list of arguments: `f(list...)`.
    pub expands: bool,
    /// From the opening parenthesis to the closing one.
    pub parentheses: Place,
}

/// `condition ? yes : no`
#[derive(Clone, Debug)]
pub struct Conditional {
    /// Which of the two.
    pub condition: Node,
    /// Where it is true.
    pub yes: Node,
    /// Where it is false.
    pub no: Node,
}

/// `-a`, `!a`
#[derive(Clone, Debug)]
pub struct Unary {
    /// Which.
    pub operator: UnaryOperator,
    /// Of what.
    pub operand: Node,
}

/// An operator in front of its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// `left + right`
#[derive(Clone, Debug)]
pub struct Binary {
    /// Which.
    pub operator: BinaryOperator,
    /// Before it.
    pub left: Node,
    /// Behind it.
    pub right: Node,
}

/// An operator between its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// `[for v in c : x]`, `{for k, v in c : x => y}`
#[derive(Clone, Debug)]
pub struct For {
    /// What is gone through, and by which names.
    pub intro: Intro,
    /// Before the `=>`, where an object is made.
    pub key: Option<Node>,
    /// What is made of each.
    pub value: Node,
    /// `...`: those with the same key go together.
    pub groups: bool,
    /// `if …`
    pub condition: Option<Node>,
}
