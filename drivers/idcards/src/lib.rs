//! Japanese identity cards: read them and prove them genuine.
