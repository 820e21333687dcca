import { expect, test } from "vitest";
import { english, german, type Figures } from "../../src/report/figures.ts";

test.each<[(figures: Figures) => string, english: string, german: string]>([
  [({ grouped }) => grouped(1_234_567), "1,234,567", "1.234.567"],
  [({ fixed }) => fixed(1234.55, 1), "1,234.5", "1.234,5"],
  [({ bytes }) => bytes(1_234_000_000), "1.2 GB", "1,2 GB"],
  [({ dollars }) => dollars(12.5), "12.50 USD", "12,50 USD"],
  [({ dollars }) => dollars(-1234567.5), "-1,234,567.50 USD", "-1.234.567,50 USD"],
  [({ quantity }) => quantity(1234.56789), "1,234.568", "1.234,568"],
  [({ dollars }) => dollars(0.001), "under 0.01 USD", "unter 0,01 USD"],
  [({ quantity }) => quantity(1234), "1,234", "1.234"],
  [({ quantity }) => quantity(0.0001), "under 0.001", "unter 0,001"],
  [({ percent }) => percent(33.3), "33.3\u00A0%", "33,3\u00A0%"],
  [({ duration }) => duration(400), "0.4 s", "0,4 s"],
  [({ duration }) => duration(12 * 86_400_000), "12 days", "12 Tage"],
  [({ axis }) => axis(1234.5), "1,234.5", "1.234,5"],
  [({ time }) => time(new Date("2026-12-01T02:03:04Z")), "2026-12-01 02:03 UTC", "01.12.2026 02:03 UTC"],
  [({ iso }) => iso("2026-12-01"), "2026-12-01", "01.12.2026"],
  [({ iso }) => iso("2026-12-01T02:03:04.567Z"), "2026-12-01T02:03:04.567Z", "01.12.2026 02:03:04 UTC"],
  [({ iso }) => iso("yesterday"), "yesterday", "yesterday"],
  [({ dayOfYear }) => dayOfYear("2026-12-01"), "12-01", "01.12."],
])("%s", (write, inEnglish, inGerman) => {
  expect([write(english), write(german)]).toEqual([inEnglish, inGerman]);
});
