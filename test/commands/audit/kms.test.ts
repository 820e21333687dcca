import { afterEach, beforeEach, expect, it } from "vitest";
import { startFaultySite } from "../../support/faulty-site.ts";
import { ed25519Key, otherKey, startKms } from "../../support/kms.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

it("signs an anchor by KMS, which gives no key away, also for who may do nothing else there", async () => {
  await home.run(["setup", "--yes"]);
  const kms = startKms();
  const site = await startFaultySite(home, { kms });
  try {
    const anchor = (...argv: string[]) => site.run(["audit", "anchor", ...argv, "--json"]);
    const told = await anchor("--key", `kms:${ed25519Key}`);
    expect(told.exitCode).toBe(0);
    const { line, publicKey } = JSON.parse(told.stdout) as { line: string; publicKey: string };
    // In the key's region, not the site's.
    expect(kms.asked).toEqual([`GetPublicKey ${ed25519Key} eu-west-1`, `Sign ${ed25519Key} eu-west-1`]);
    kms.denied = ["GetPublicKey"];
    const alone = await anchor("--key", ed25519Key, "--public-key", publicKey);
    expect(alone.exitCode).toBe(0);
    const verified = await site.run(["audit", "verify", "--anchor", line, "--public-key", publicKey]);
    expect([verified.exitCode, verified.stdout]).toEqual([0, expect.not.stringContaining("OUTSIDE")]);
    kms.denied = [];
    const named = await site.run(["audit", "verify", "--anchor", line], {
      MAWPS_AUDIT_KEY: `kms:${ed25519Key}`,
    });
    expect([named.exitCode, named.stderr]).toEqual([0, expect.not.stringContaining("not proved")]);

    kms.denied = ["GetPublicKey", "Sign"];
    for (const [argv, exitCode, why] of [
      [[ed25519Key], 1, "access denied: kms:GetPublicKey"],
      [[ed25519Key, "--public-key", publicKey], 1, "access denied: kms:Sign"],
    ] as const) {
      const { exitCode: code, stdout, stderr } = await anchor("--key", ...argv);
      expect([argv, code, stdout, stderr]).toEqual([argv, exitCode, "", expect.stringContaining(why)]);
    }
    kms.denied = [];
    for (const [argv, exitCode, why] of [
      [["kms:alias/none"], 1, "alias/none of KMS does not exist"],
      [[`kms:${otherKey}`], 2, "is no key of Ed25519, but ECC_NIST_P256"],
      [[`kms:${otherKey}`, "--public-key", publicKey], 2, "cannot sign with Ed25519"],
      [[ed25519Key, "--public-key", "0".repeat(64)], 2, "is not the one of the public key 0000"],
    ] as const) {
      const { exitCode: code, stdout, stderr } = await anchor("--key", ...argv);
      expect([argv, code, stdout, stderr]).toEqual([argv, exitCode, "", expect.stringContaining(why)]);
    }
  } finally {
    await site.close();
  }
});
