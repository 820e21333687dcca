-- The tables of lopez (MySQL 8.0, database lopez_it_welt), as the design has them, with what MySQL refuses in it corrected:
--  * system_logs is partitioned by year, so that it has no foreign key, and the partition column is part of its key.
--  * chat_messages keeps its key and its foreign key, and is purged in chunks.
--  * Indexes that the design names twice are made once.
--  * current_user_id() does not exist in MySQL: it is made here. The views are filters, no boundary: whoever may read the tables
--    reads all of them.

CREATE TABLE `users` (
  `id` VARCHAR(36) NOT NULL,
  `email` VARCHAR(255) NOT NULL,
  `password_hash` VARCHAR(255) NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `role` ENUM('admin', 'user', 'moderator') DEFAULT 'user',
  `is_active` BOOLEAN DEFAULT TRUE,
  `email_verified` BOOLEAN DEFAULT FALSE,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `last_login_at` TIMESTAMP NULL,
  `encrypted_data` VARBINARY(1000),
  PRIMARY KEY (`id`),
  UNIQUE KEY `uk_users_email` (`email`),
  KEY `idx_users_role` (`role`),
  KEY `idx_users_created_at` (`created_at`),
  KEY `idx_users_email_is_active` (`email`, `is_active`),
  KEY `idx_users_role_is_active` (`role`, `is_active`),
  KEY `idx_users_created_at_is_active` (`created_at`, `is_active`),
  KEY `idx_users_role_created_at_is_active` (`role`, `created_at`, `is_active`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Has what an erased person made for all; nobody can sign in with it: no hash is a single letter.
INSERT INTO `users` (`id`, `email`, `password_hash`, `name`, `is_active`)
VALUES ('deleted-user', 'deleted-user@invalid', '!', 'deleted user', FALSE);

CREATE TABLE `user_profiles` (
  `id` VARCHAR(36) NOT NULL,
  `user_id` VARCHAR(36) NOT NULL,
  `avatar_url` VARCHAR(500),
  `bio` TEXT,
  `location` VARCHAR(255),
  `website` VARCHAR(255),
  `company` VARCHAR(255),
  `job_title` VARCHAR(255),
  `phone` VARCHAR(50),
  `preferences` JSON,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_user_profiles_user_id` (`user_id`),
  CONSTRAINT `fk_user_profiles_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `ai_agents` (
  `id` VARCHAR(36) NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `description` TEXT,
  `type` ENUM('chatbot', 'assistant', 'analyzer', 'translator') NOT NULL,
  `model` VARCHAR(100) NOT NULL,
  `config` JSON NOT NULL,
  `capabilities` JSON,
  `is_active` BOOLEAN DEFAULT TRUE,
  `created_by` VARCHAR(36) NOT NULL,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_ai_agents_type` (`type`),
  KEY `idx_ai_agents_is_active` (`is_active`),
  KEY `idx_ai_agents_created_at` (`created_at`),
  CONSTRAINT `fk_ai_agents_created_by` FOREIGN KEY (`created_by`) REFERENCES `users` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `chat_sessions` (
  `id` VARCHAR(36) NOT NULL,
  `user_id` VARCHAR(36) NOT NULL,
  `agent_id` VARCHAR(36) NOT NULL,
  `title` VARCHAR(255),
  `status` ENUM('active', 'ended', 'archived') DEFAULT 'active',
  `metadata` JSON,
  `started_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `ended_at` TIMESTAMP NULL,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_chat_sessions_user_id` (`user_id`),
  KEY `idx_chat_sessions_agent_id` (`agent_id`),
  KEY `idx_chat_sessions_status` (`status`),
  KEY `idx_chat_sessions_started_at` (`started_at`),
  KEY `idx_chat_sessions_user_id_status` (`user_id`, `status`),
  KEY `idx_chat_sessions_agent_id_status` (`agent_id`, `status`),
  KEY `idx_chat_sessions_user_id_agent_id_status` (`user_id`, `agent_id`, `status`),
  CONSTRAINT `fk_chat_sessions_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE,
  CONSTRAINT `fk_chat_sessions_agent_id` FOREIGN KEY (`agent_id`) REFERENCES `ai_agents` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `chat_messages` (
  `id` VARCHAR(36) NOT NULL,
  `session_id` VARCHAR(36) NOT NULL,
  `content` TEXT NOT NULL,
  `type` ENUM('user', 'agent', 'system') NOT NULL,
  `metadata` JSON,
  `tokens_used` INT DEFAULT 0,
  `processing_time_ms` INT DEFAULT 0,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_chat_messages_session_id` (`session_id`),
  KEY `idx_chat_messages_type` (`type`),
  KEY `idx_chat_messages_created_at` (`created_at`),
  KEY `idx_chat_messages_session_id_type` (`session_id`, `type`),
  KEY `idx_chat_messages_session_id_type_created_at` (`session_id`, `type`, `created_at`),
  CONSTRAINT `fk_chat_messages_session_id` FOREIGN KEY (`session_id`) REFERENCES `chat_sessions` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `session_analytics` (
  `id` VARCHAR(36) NOT NULL,
  `session_id` VARCHAR(36) NOT NULL,
  `total_messages` INT DEFAULT 0,
  `user_messages` INT DEFAULT 0,
  `agent_messages` INT DEFAULT 0,
  `total_tokens` INT DEFAULT 0,
  `total_processing_time_ms` INT DEFAULT 0,
  `satisfaction_score` DECIMAL(3,2),
  `feedback` TEXT,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_session_analytics_session_id` (`session_id`),
  KEY `idx_session_analytics_satisfaction_score` (`satisfaction_score`),
  CONSTRAINT `fk_session_analytics_session_id` FOREIGN KEY (`session_id`) REFERENCES `chat_sessions` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `refresh_tokens` (
  `id` VARCHAR(36) NOT NULL,
  `user_id` VARCHAR(36) NOT NULL,
  `token` VARCHAR(500) NOT NULL,
  `expires_at` TIMESTAMP NOT NULL,
  `is_revoked` BOOLEAN DEFAULT FALSE,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_refresh_tokens_user_id` (`user_id`),
  KEY `idx_refresh_tokens_token` (`token`),
  KEY `idx_refresh_tokens_expires_at` (`expires_at`),
  CONSTRAINT `fk_refresh_tokens_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `login_attempts` (
  `id` VARCHAR(36) NOT NULL,
  `email` VARCHAR(255) NOT NULL,
  `ip_address` VARCHAR(45) NOT NULL,
  `user_agent` TEXT,
  `success` BOOLEAN NOT NULL,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_login_attempts_email` (`email`),
  KEY `idx_login_attempts_ip_address` (`ip_address`),
  KEY `idx_login_attempts_created_at` (`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `password_reset_tokens` (
  `id` VARCHAR(36) NOT NULL,
  `user_id` VARCHAR(36) NOT NULL,
  `token` VARCHAR(255) NOT NULL,
  `expires_at` TIMESTAMP NOT NULL,
  `used_at` TIMESTAMP NULL,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_password_reset_tokens_token` (`token`),
  KEY `idx_password_reset_tokens_expires_at` (`expires_at`),
  CONSTRAINT `fk_password_reset_tokens_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `api_keys` (
  `id` VARCHAR(36) NOT NULL,
  `user_id` VARCHAR(36) NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `key_hash` VARCHAR(255) NOT NULL,
  `permissions` JSON,
  `is_active` BOOLEAN DEFAULT TRUE,
  `last_used_at` TIMESTAMP NULL,
  `expires_at` TIMESTAMP NULL,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `encrypted_permissions` VARBINARY(1000),
  PRIMARY KEY (`id`),
  KEY `idx_api_keys_user_id` (`user_id`),
  KEY `idx_api_keys_key_hash` (`key_hash`),
  KEY `idx_api_keys_is_active` (`is_active`),
  CONSTRAINT `fk_api_keys_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `system_logs` (
  `id` VARCHAR(36) NOT NULL,
  `level` ENUM('debug', 'info', 'warn', 'error', 'fatal') NOT NULL,
  `category` VARCHAR(100) NOT NULL,
  `message` TEXT NOT NULL,
  `context` JSON,
  `user_id` VARCHAR(36),
  `ip_address` VARCHAR(45),
  `user_agent` TEXT,
  `created_at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`, `created_at`),
  KEY `idx_system_logs_level` (`level`),
  KEY `idx_system_logs_category` (`category`),
  KEY `idx_system_logs_created_at` (`created_at`),
  KEY `idx_system_logs_user_id` (`user_id`),
  KEY `idx_system_logs_level_created_at` (`level`, `created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
PARTITION BY RANGE (UNIX_TIMESTAMP(`created_at`)) (
  PARTITION `p2025` VALUES LESS THAN (UNIX_TIMESTAMP('2026-01-01 00:00:00')),
  PARTITION `p2026` VALUES LESS THAN (UNIX_TIMESTAMP('2027-01-01 00:00:00')),
  PARTITION `future` VALUES LESS THAN MAXVALUE
);

CREATE TABLE `performance_metrics` (
  `id` VARCHAR(36) NOT NULL,
  `metric_name` VARCHAR(100) NOT NULL,
  `metric_value` DECIMAL(10,4) NOT NULL,
  `unit` VARCHAR(20),
  `tags` JSON,
  `recorded_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_performance_metrics_metric_name` (`metric_name`),
  KEY `idx_performance_metrics_recorded_at` (`recorded_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `user_activity` (
  `id` VARCHAR(36) NOT NULL,
  `user_id` VARCHAR(36) NOT NULL,
  `action` VARCHAR(100) NOT NULL,
  `resource_type` VARCHAR(50),
  `resource_id` VARCHAR(36),
  `metadata` JSON,
  `ip_address` VARCHAR(45),
  `user_agent` TEXT,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_user_activity_user_id` (`user_id`),
  KEY `idx_user_activity_action` (`action`),
  KEY `idx_user_activity_created_at` (`created_at`),
  KEY `idx_user_activity_user_id_action` (`user_id`, `action`),
  CONSTRAINT `fk_user_activity_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `organizations` (
  `id` VARCHAR(36) NOT NULL,
  `name` VARCHAR(255) NOT NULL,
  `description` TEXT,
  `domain` VARCHAR(255),
  `settings` JSON,
  `is_active` BOOLEAN DEFAULT TRUE,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_organizations_domain` (`domain`),
  KEY `idx_organizations_is_active` (`is_active`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `organization_members` (
  `id` VARCHAR(36) NOT NULL,
  `organization_id` VARCHAR(36) NOT NULL,
  `user_id` VARCHAR(36) NOT NULL,
  `role` ENUM('owner', 'admin', 'member', 'viewer') DEFAULT 'member',
  `permissions` JSON,
  `joined_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uk_organization_members_organization_id_user_id` (`organization_id`, `user_id`),
  KEY `idx_organization_members_organization_id` (`organization_id`),
  KEY `idx_organization_members_user_id` (`user_id`),
  KEY `idx_organization_members_role` (`role`),
  CONSTRAINT `fk_organization_members_organization_id` FOREIGN KEY (`organization_id`) REFERENCES `organizations` (`id`) ON DELETE CASCADE,
  CONSTRAINT `fk_organization_members_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `enterprise_agents` (
  `id` VARCHAR(36) NOT NULL,
  `organization_id` VARCHAR(36) NOT NULL,
  `agent_id` VARCHAR(36) NOT NULL,
  `custom_config` JSON,
  `usage_limits` JSON,
  `is_active` BOOLEAN DEFAULT TRUE,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_enterprise_agents_organization_id` (`organization_id`),
  KEY `idx_enterprise_agents_agent_id` (`agent_id`),
  CONSTRAINT `fk_enterprise_agents_organization_id` FOREIGN KEY (`organization_id`) REFERENCES `organizations` (`id`) ON DELETE CASCADE,
  CONSTRAINT `fk_enterprise_agents_agent_id` FOREIGN KEY (`agent_id`) REFERENCES `ai_agents` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `subscriptions` (
  `id` VARCHAR(36) NOT NULL,
  `user_id` VARCHAR(36) NOT NULL,
  `organization_id` VARCHAR(36),
  `plan_type` ENUM('free', 'basic', 'premium', 'enterprise') NOT NULL,
  `status` ENUM('active', 'cancelled', 'expired', 'suspended') DEFAULT 'active',
  `billing_cycle` ENUM('monthly', 'yearly') DEFAULT 'monthly',
  `amount` DECIMAL(10,2) NOT NULL,
  `currency` VARCHAR(3) DEFAULT 'EUR',
  `starts_at` TIMESTAMP NOT NULL,
  `ends_at` TIMESTAMP NULL,
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_subscriptions_user_id` (`user_id`),
  KEY `idx_subscriptions_organization_id` (`organization_id`),
  KEY `idx_subscriptions_status` (`status`),
  KEY `idx_subscriptions_plan_type` (`plan_type`),
  CONSTRAINT `fk_subscriptions_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `fk_subscriptions_organization_id` FOREIGN KEY (`organization_id`) REFERENCES `organizations` (`id`) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `audit_logs` (
  `id` VARCHAR(36) NOT NULL,
  `table_name` VARCHAR(100) NOT NULL,
  `record_id` VARCHAR(36) NOT NULL,
  `action` ENUM('INSERT', 'UPDATE', 'DELETE') NOT NULL,
  `old_values` JSON,
  `new_values` JSON,
  `user_id` VARCHAR(36),
  `ip_address` VARCHAR(45),
  `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (`id`),
  KEY `idx_audit_logs_table_name_record_id` (`table_name`, `record_id`),
  KEY `idx_audit_logs_action` (`action`),
  KEY `idx_audit_logs_created_at` (`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `user_summaries` (
  `user_id` VARCHAR(36) NOT NULL,
  `total_sessions` INT DEFAULT 0,
  `total_messages` INT DEFAULT 0,
  `last_activity_at` TIMESTAMP NULL,
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`user_id`),
  CONSTRAINT `fk_user_summaries_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE `agent_summaries` (
  `agent_id` VARCHAR(36) NOT NULL,
  `total_sessions` INT DEFAULT 0,
  `total_messages` INT DEFAULT 0,
  `average_satisfaction` DECIMAL(3,2),
  `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (`agent_id`),
  CONSTRAINT `fk_agent_summaries_agent_id` FOREIGN KEY (`agent_id`) REFERENCES `ai_agents` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE FUNCTION `current_user_id`() RETURNS VARCHAR(36) DETERMINISTIC NO SQL
RETURN @current_user_id;

CREATE VIEW `user_sessions` AS
SELECT * FROM `chat_sessions` WHERE `user_id` = current_user_id()
WITH CHECK OPTION;

CREATE VIEW `user_messages` AS
SELECT * FROM `chat_messages`
WHERE `session_id` IN (SELECT `id` FROM `chat_sessions` WHERE `user_id` = current_user_id())
WITH CHECK OPTION;
