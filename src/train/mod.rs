//! What training needs of the product: searches to practise on.

pub mod practise;
