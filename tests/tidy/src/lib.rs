//! Holds the layout, the direction of dependencies and the text of the repository.
