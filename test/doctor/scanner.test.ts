import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { scannerFindings, type ScannerFacts } from "../../src/doctor/scanner.ts";
import { notScanned } from "../../src/scan/verdict.ts";
import { says, startFakeClamd } from "../scan/fake-clamd.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const now = new Date("2026-03-10T12:00:00Z");
const good = {
  engine: "ClamAV 1.4.6/27461/Mon Mar  9 09:31:00 2026",
  engineVersion: "1.4.6",
  signatures: { version: 27461, date: "2026-03-09" },
  takesSize: true,
  tellsLimits: true,
  tellsEncrypted: true,
};
const ok = "ok virus scan: ClamAV 1.4.6, signatures 27461 of 2026-03-09";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

describe("what doctor says of the virus scanner", () => {
  it.each<[string, ScannerFacts["trial"], string[]]>([
    ["a good one", good, [ok]],
    [
      "one that is down",
      notScanned("engine-down", "no connection to clamd at 127.0.0.1:3310 (ECONNREFUSED)"),
      ["problem virus scan: no connection to clamd at 127.0.0.1:3310 (ECONNREFUSED)"],
    ],
    [
      "signatures of a week ago",
      { ...good, signatures: { version: 27450, date: "2026-03-03" } },
      ["ok virus scan: ClamAV 1.4.6, signatures 27450 of 2026-03-03"],
    ],
    [
      "older signatures",
      { ...good, signatures: { version: 27449, date: "2026-03-02" } },
      ["warning virus scan: ClamAV 1.4.6, signatures 27449 of 2026-03-02, 8 days old"],
    ],
    [
      "none of ClamAV's signatures",
      { ...good, signatures: undefined },
      ["warning virus scan: ClamAV 1.4.6, without ClamAV's own signatures"],
    ],
    [
      "one that says OK to what it has not looked at",
      { ...good, takesSize: false, tellsLimits: false, tellsEncrypted: false },
      [
        ok,
        "warning virus scan: takes less than clamav.maxBytes (1.0 KB)",
        "warning virus scan: says OK, unscanned, to what exceeds its limits",
        "warning virus scan: says OK, unscanned, to what is encrypted",
      ],
    ],
  ])("%s", (_name, trial, expected) => {
    const found = scannerFindings({ where: "127.0.0.1:3310", maxBytes: 1000, trial }, now);
    expect(found.map(({ status, check, message }) => `${status} ${check}: ${message}`)).toEqual(expected);
    for (const { status, remedy } of found) expect(remedy === undefined).toBe(status === "ok");
  });

  it("is told by the command: none, one that answers OK to everything, one that is down", async () => {
    const told = async (env: Record<string, string>) => {
      const { exitCode, stdout } = await home.run(["doctor", "--json"], { env });
      const found = stdout.split("\n").filter((line) => line.includes('"virus scan"'));
      return [exitCode, ...found.map((line) => JSON.parse(line) as { status: string; message: string })];
    };
    expect(await told({})).toEqual([
      0,
      expect.objectContaining({ status: "warning", message: expect.stringContaining("SKIPPED") }),
    ]);
    await using fake = await startFakeClamd({ complete: says("stream: OK\0") });
    const { host, port } = fake.clamd;
    const at = { MAWPS_CLAMAV_HOST: host, MAWPS_CLAMAV_PORT: String(port) };
    expect(await told(at)).toMatchObject([
      0,
      { subject: `${host}:${port}` },
      { status: "warning", message: "says OK, unscanned, to what exceeds its limits" },
      { status: "warning", message: "says OK, unscanned, to what is encrypted" },
    ]);
    expect(await told({ MAWPS_CLAMAV_HOST: "127.0.0.1", MAWPS_CLAMAV_PORT: "1" })).toMatchObject([
      4,
      { status: "problem", message: expect.stringContaining("ECONNREFUSED") },
    ]);
  });
});
