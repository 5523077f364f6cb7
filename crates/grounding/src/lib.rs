//! Whether what a text claims is what the fact it cites says.
