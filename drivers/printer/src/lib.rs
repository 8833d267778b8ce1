//! Ticket printers over ESC/POS and page printers over IPP.
