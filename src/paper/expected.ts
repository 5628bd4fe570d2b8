/** The paper's numbers, in percent; what this project does not know of a table is left out. */
export const expected = {
  /** Table 1: MNIST, accuracy under white-box attacks. Rows by network and kind, columns by attack and epsilon. */
  table1: {
    "small-full": { clean: 99.4, "fgsm-0.2": 98.48, "fgsm-0.3": 98.86, "pgd-0.2": 0.5 },
    "small-sqa": {
      clean: 96.61,
      "fgsm-0.2": 89.3,
      "fgsm-0.3": 82.67,
      "cw-0.2": 82.39,
      "cw-0.3": 57.7,
      "pgd-0.2": 7.43,
    },
    "large-full": { clean: 99.25, "pgd-0.2": 0.86 },
    "large-sqa": { clean: 98.64, "fgsm-0.3": 91.14, "cw-0.3": 83.62, "pgd-0.2": 83.9 },
  },
} as const;
