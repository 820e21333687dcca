ALTER TABLE file_attachments DROP CONSTRAINT ready_is_scanned;
