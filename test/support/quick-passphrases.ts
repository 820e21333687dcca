import type * as Age from "age-encryption";
import { vi } from "vitest";

// A passphrase costs two seconds of the processor to use and as much to set, which is what keeps it from being guessed. What tests do
// with one is the same at any cost.
vi.mock("age-encryption", async (importOriginal) => {
  const age = await importOriginal<typeof Age>();
  class QuickEncrypter extends age.Encrypter {
    override setPassphrase(passphrase: string): void {
      this.setScryptWorkFactor(10);
      super.setPassphrase(passphrase);
    }
  }
  return { ...age, Encrypter: QuickEncrypter };
});
