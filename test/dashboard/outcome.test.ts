import { expect, it } from "vitest";
import { outcomeTitle, wrongText } from "../../dashboard/data/outcome.js";

it("does not say of an image that was wrong without the attack that it fell", () => {
  const images = [
    { label: "7", predicted: "3" },
    { label: "2", predicted: "2" },
  ];
  expect(wrongText(images)).toBe("1 of these 2 validation images are given a wrong class under ");
  expect(outcomeTitle({ label: "7", predicted: "3" }, "7")).toBe("7 → 3");
  expect(outcomeTitle({ label: "7", predicted: "3" }, "1")).toBe("7 → 3 (wrong when clean)");
  expect(outcomeTitle({ label: "2", predicted: "2" }, "1")).toBe("2 → 2 (it stands)");
});
