//! Signatures sealed to what was shown: ink formats, container, PDF.
