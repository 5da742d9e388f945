"""What the forms hold: rows to show and drafts behind them; no Textual in here."""
