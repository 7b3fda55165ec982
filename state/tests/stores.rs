//! What a state promises, whatever store it is in, and what is special about each store.

mod stores {
    #[macro_use]
    mod promises;
    mod scene;
    #[macro_use]
    mod service;

    mod azure;
    mod bucket;
    mod gcs;
    mod postgres;
    mod s3;
    mod sqlite;
    mod upgrade;
}
