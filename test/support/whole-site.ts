import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beginNativeBackup } from "../../src/aws/dynamodb/native-backups.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { putAccounts } from "./accounts.ts";
import { putAvatar, putDocument, putProfile } from "./documents.ts";
import { putTwoTwins, soundTwin } from "./twins.ts";
import type { TestHome } from "./world.ts";

/** Something of everything: what each command needs to have something to do, and files beside it to do it with. */
export async function putWholeSite(home: TestHome): Promise<void> {
  const image = sharp({ create: { width: 640, height: 480, channels: 3, background: "#336699" } });
  await writeFile(join(home.folder, "photo.jpg"), await image.jpeg().toBuffer());
  // Two pictures, so that there is something to roll back to and to take away.
  for (let picture = 0; picture < 2; picture += 1)
    await home.run(["hero", "set", "photo.jpg", "--no-verify"]);
  await writeFile(join(home.folder, "letter.txt"), "Guten Tag");
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeFile(join(home.folder, "audit.key"), privateKey.export({ type: "pkcs8", format: "pem" }));
  await writeFile(join(home.folder, "people.csv"), "email,name\nkim@example.com,Kim\n");
  await writeFile(join(home.folder, "twin.json"), JSON.stringify(soundTwin));
  const page = { firstVisit: "2026-01-01T00:00:00Z", lastVisit: "2026-01-01T00:00:00Z", visitCount: 1 };
  await writeFile(join(home.folder, "progress.json"), JSON.stringify({ pages: { ikigai: page } }));
  await home.look(async (aws, config) => {
    await putAccounts(aws, localPoolId(config.region));
    const documents = [
      await putDocument(aws, { userId: "user-1", id: "doc-1", body: "eins" }),
      await putDocument(aws, { userId: "user-1", id: "doc-2", body: "zwei", status: "DELETED" }),
      {
        ...(await putDocument(aws, { userId: "user-1", id: "doc-3", body: "drei", status: "UPLOADING" })),
        uploadUntil: "2026-03-02T00:00:00.000Z",
      },
    ];
    await putProfile(aws, "user-1", { documents, profileImage: await putAvatar(aws, "user-1") });
    await putTwoTwins(aws, "mawps-digital-twin");
    await beginNativeBackup(aws, { table: "mawps-user-profiles", name: "nightly" });
  });
}
