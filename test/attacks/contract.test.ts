import { afterAll, describe, expect, test, vi } from "vitest";
import { attacks } from "../../src/attacks/index.js";
import { keepsContract } from "./attack-contract.js";
import { cases } from "./contract-cases.js";

describe.each(cases)("%s", (text) => keepsContract(attacks.parse(text)));

const register = vi.spyOn(attacks, "register");
const { randomSign } = await import("../../examples/own-attack.mjs");
// Test files share a process: what the example has registered is forgotten again.
const forget = register.mock.results[0]!.value as () => void;
register.mockRestore();
afterAll(() => forget());

describe("an attack from outside of the package", () => {
  test("is known by its name", () => {
    expect(String(attacks.parse("random-sign(epsilon=0.2)"))).toBe(String(randomSign({ epsilon: 0.2 })));
  });

  keepsContract(randomSign({ epsilon: 0.05 }));
});
