-- Corrections: what MySQL refuses in the design, indexes that it asks for further on, and none of them twice.

ALTER TABLE `users`
  ADD COLUMN `encrypted_data` VARBINARY(1000),
  DROP KEY `idx_users_email`,
  ADD KEY `idx_users_email_is_active` (`email`, `is_active`),
  ADD KEY `idx_users_role_is_active` (`role`, `is_active`),
  ADD KEY `idx_users_created_at_is_active` (`created_at`, `is_active`),
  ADD KEY `idx_users_role_created_at_is_active` (`role`, `created_at`, `is_active`);

-- Has what an erased person made for all; nobody can sign in with it: no hash is a single letter.
INSERT INTO `users` (`id`, `email`, `password_hash`, `name`, `is_active`)
VALUES ('deleted-user', 'deleted-user@invalid', '!', 'deleted user', FALSE);

ALTER TABLE `chat_sessions`
  ADD KEY `idx_chat_sessions_user_id_status` (`user_id`, `status`),
  ADD KEY `idx_chat_sessions_agent_id_status` (`agent_id`, `status`),
  ADD KEY `idx_chat_sessions_user_id_agent_id_status` (`user_id`, `agent_id`, `status`);

ALTER TABLE `chat_messages`
  ADD KEY `idx_chat_messages_session_id_type` (`session_id`, `type`),
  ADD KEY `idx_chat_messages_session_id_type_created_at` (`session_id`, `type`, `created_at`);

ALTER TABLE `api_keys` ADD COLUMN `encrypted_permissions` VARBINARY(1000);

ALTER TABLE `user_activity` ADD KEY `idx_user_activity_user_id_action` (`user_id`, `action`);

-- The law asks for subscriptions longer than a user stays.
ALTER TABLE `subscriptions` DROP FOREIGN KEY `fk_subscriptions_user_id`;
ALTER TABLE `subscriptions`
  ADD CONSTRAINT `fk_subscriptions_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT;

-- A table with partitions has no foreign keys, and each of its unique keys the column of the partitions.
ALTER TABLE `system_logs` DROP FOREIGN KEY `fk_system_logs_user_id`;
ALTER TABLE `system_logs`
  MODIFY `created_at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  DROP PRIMARY KEY,
  ADD PRIMARY KEY (`id`, `created_at`),
  ADD KEY `idx_system_logs_level_created_at` (`level`, `created_at`);
ALTER TABLE `system_logs`
PARTITION BY RANGE (UNIX_TIMESTAMP(`created_at`)) (
  PARTITION `p2025` VALUES LESS THAN (UNIX_TIMESTAMP('2026-01-01 00:00:00')),
  PARTITION `p2026` VALUES LESS THAN (UNIX_TIMESTAMP('2027-01-01 00:00:00')),
  PARTITION `future` VALUES LESS THAN MAXVALUE
);

-- Not in MySQL by itself.
CREATE FUNCTION `current_user_id`() RETURNS VARCHAR(36) DETERMINISTIC NO SQL
RETURN @current_user_id;

CREATE VIEW `user_sessions` AS
SELECT * FROM `chat_sessions` WHERE `user_id` = current_user_id()
WITH CHECK OPTION;

CREATE VIEW `user_messages` AS
SELECT * FROM `chat_messages`
WHERE `session_id` IN (SELECT `id` FROM `chat_sessions` WHERE `user_id` = current_user_id())
WITH CHECK OPTION;
