-- 1.0.0: files of customers and opportunities. The other tables are the CRM's own and are there before.

CREATE TABLE IF NOT EXISTS users (id uuid PRIMARY KEY, email varchar(255) UNIQUE NOT NULL, name varchar(255));
-- Stands for whoever has left and was erased.
INSERT INTO users (id, email, name)
VALUES ('00000000-0000-4000-8000-000000000000', 'deleted-user@invalid', 'deleted user') ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS customers (id uuid PRIMARY KEY, name varchar(255) NOT NULL, email varchar(255));
CREATE TABLE IF NOT EXISTS opportunities (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  name varchar(255) NOT NULL
);

CREATE TABLE file_attachments (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  file_name varchar(255) NOT NULL,
  s3_key varchar(500) NOT NULL UNIQUE,
  content_type varchar(100) NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  status varchar(20) NOT NULL DEFAULT 'UPLOADING'
    CHECK (status IN ('UPLOADING', 'SCANNING', 'READY', 'INFECTED', 'DELETED')),
  scan_result varchar(20) CHECK (scan_result IN ('CLEAN', 'INFECTED', 'ERROR', 'SKIPPED')),
  customer_id uuid REFERENCES customers (id),
  opportunity_id uuid REFERENCES opportunities (id),
  uploaded_by uuid NOT NULL REFERENCES users (id),
  uploaded_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  tags jsonb,
  CONSTRAINT file_of_somebody CHECK (customer_id IS NOT NULL OR opportunity_id IS NOT NULL)
);

CREATE INDEX idx_file_customer ON file_attachments (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX idx_file_opportunity ON file_attachments (opportunity_id) WHERE opportunity_id IS NOT NULL;
CREATE INDEX idx_file_deleted ON file_attachments (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX idx_file_status ON file_attachments (status);
