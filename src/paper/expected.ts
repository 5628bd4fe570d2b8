/** The paper's numbers, accuracies in percent; what this project does not know of a table is left out. */
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
  /** Table 2: CIFAR-10, accuracy under white-box attacks at epsilon 8/255. */
  table2: {
    "resnet34-sqa": { clean: 81.53, "pgd-8": 48.32, "cw-8": 38.7 },
    "resnet101-sqa": { clean: 82.94, "pgd-8": 52.12, "cw-8": 41.52 },
  },
  /** Table 4: seconds an iteration, ResNet-34, batches of 128, on the paper's GPU. */
  table4: { fgsm: 0.43, "fgsm-sqa": 0.57, "pgd-10": 1.23 },
} as const;
