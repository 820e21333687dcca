-- Corrections: an error of the scanner never makes a file READY.

ALTER TABLE file_attachments
  ADD CONSTRAINT ready_is_scanned CHECK (status <> 'READY' OR (scan_result IS NOT NULL AND scan_result IN ('CLEAN', 'SKIPPED')));
