//! What a state promises, whatever store it is in, and what is special about each store.

mod stores {
    #[macro_use]
    mod promises;
    mod scene;

    mod bucket;
    mod postgres;
    mod s3;
    mod sqlite;
    mod upgrade;
}
