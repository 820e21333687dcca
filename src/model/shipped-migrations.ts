import lopez0001BaseDown from "../../models/lopez-migrations/0001-base.down.sql";
import lopez0001BaseUp from "../../models/lopez-migrations/0001-base.up.sql";
import lopez0002OrganizationsDown from "../../models/lopez-migrations/0002-organizations.down.sql";
import lopez0002OrganizationsUp from "../../models/lopez-migrations/0002-organizations.up.sql";
import lopez0003AnalyticsDown from "../../models/lopez-migrations/0003-analytics.down.sql";
import lopez0003AnalyticsUp from "../../models/lopez-migrations/0003-analytics.up.sql";
import lopez0004CorrectionsDown from "../../models/lopez-migrations/0004-corrections.down.sql";
import lopez0004CorrectionsUp from "../../models/lopez-migrations/0004-corrections.up.sql";
import fc0240001FilesDown from "../../models/fc024-migrations/0001-files.down.sql";
import fc0240001FilesUp from "../../models/fc024-migrations/0001-files.up.sql";
import fc0240002ReadyIsScannedDown from "../../models/fc024-migrations/0002-ready-is-scanned.down.sql";
import fc0240002ReadyIsScannedUp from "../../models/fc024-migrations/0002-ready-is-scanned.up.sql";

/** The migrations that travel with the program: texts by the names of their files, in the folders that models name. */
export const shippedMigrations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "lopez-migrations": {
    "0001-base.down.sql": lopez0001BaseDown,
    "0001-base.up.sql": lopez0001BaseUp,
    "0002-organizations.down.sql": lopez0002OrganizationsDown,
    "0002-organizations.up.sql": lopez0002OrganizationsUp,
    "0003-analytics.down.sql": lopez0003AnalyticsDown,
    "0003-analytics.up.sql": lopez0003AnalyticsUp,
    "0004-corrections.down.sql": lopez0004CorrectionsDown,
    "0004-corrections.up.sql": lopez0004CorrectionsUp,
  },
  "fc024-migrations": {
    "0001-files.down.sql": fc0240001FilesDown,
    "0001-files.up.sql": fc0240001FilesUp,
    "0002-ready-is-scanned.down.sql": fc0240002ReadyIsScannedDown,
    "0002-ready-is-scanned.up.sql": fc0240002ReadyIsScannedUp,
  },
};
