-- The tables of the CRM stay.

DROP TABLE file_attachments;
