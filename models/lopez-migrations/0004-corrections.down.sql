-- The account of erased persons stays: what it has would be nobody's.

DROP VIEW `user_messages`;
DROP VIEW `user_sessions`;
DROP FUNCTION `current_user_id`;

ALTER TABLE `system_logs` REMOVE PARTITIONING;
ALTER TABLE `system_logs`
  DROP KEY `idx_system_logs_level_created_at`,
  DROP PRIMARY KEY,
  ADD PRIMARY KEY (`id`),
  MODIFY `created_at` TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP;
ALTER TABLE `system_logs`
  ADD CONSTRAINT `fk_system_logs_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE SET NULL;

ALTER TABLE `subscriptions` DROP FOREIGN KEY `fk_subscriptions_user_id`;
ALTER TABLE `subscriptions`
  ADD CONSTRAINT `fk_subscriptions_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE;

ALTER TABLE `user_activity` DROP KEY `idx_user_activity_user_id_action`;

ALTER TABLE `api_keys` DROP COLUMN `encrypted_permissions`;

ALTER TABLE `chat_messages`
  DROP KEY `idx_chat_messages_session_id_type`,
  DROP KEY `idx_chat_messages_session_id_type_created_at`;

ALTER TABLE `chat_sessions`
  DROP KEY `idx_chat_sessions_user_id_status`,
  DROP KEY `idx_chat_sessions_agent_id_status`,
  DROP KEY `idx_chat_sessions_user_id_agent_id_status`;

ALTER TABLE `users`
  DROP KEY `idx_users_email_is_active`,
  DROP KEY `idx_users_role_is_active`,
  DROP KEY `idx_users_created_at_is_active`,
  DROP KEY `idx_users_role_created_at_is_active`,
  ADD KEY `idx_users_email` (`email`),
  DROP COLUMN `encrypted_data`;
