"""The weekly report: what it says, in which words, and as HTML, PDF, XLSX and CSV. Pure: it is handed figures, and reads nothing."""
