/** Where backups are kept and what opens them, as configured. */
export interface BackupSettings {
  /** A folder, or `s3://bucket/prefix`. */
  readonly repository: string | undefined;
  /** The folder of those of a local store, where no other is named; undefined on AWS. */
  readonly besideStore: string | undefined;
  /** From which folder paths are seen. */
  readonly cwd: string;
  /** An age recipient, for a repository that is made. */
  readonly encryptTo: string | undefined;
  readonly identityFile: string | undefined;
  readonly passphraseFile: string | undefined;
  /** As MAWPS_BACKUP_PASSPHRASE has it: empty where a secret of CI is not there. */
  readonly passphrase: string | undefined;
  /** Asks for it; undefined where nobody is there to answer. */
  readonly askPassphrase: ((question: string) => Promise<string>) | undefined;
  /** See `newIdentity`: for tests. */
  readonly passphraseWork: number | undefined;
  /** Folder for what is on its way: contents too large for the memory, whole files of an export. */
  readonly spool: string;
  /** Of age keys that tell what an interrupted backup in an encrypted repository has done. */
  readonly keyFolder: string;
  /** Above it a table is not read from here. */
  readonly maxTableBytes: number;
  /** A backup and a drill that are older are missed. */
  readonly maxAgeHours: number;
  readonly maxDrillAgeDays: number;
}
