/** Number that the paper gives, with its standard deviation where there is one. */
export type Published = number | readonly [mean: number, deviation: number];

/** Numbers of a table of accuracies in percent: `rows[row][column]`, on a data set. */
export interface PublishedTable {
  readonly data: string;
  readonly rows: Readonly<Record<string, Readonly<Record<string, Published>>>>;
}

/** Table 1: accuracy under white-box attacks, networks trained on FGSM images. */
const table1: PublishedTable = {
  data: "mnist",
  rows: {
    "small-full": {
      clean: 99.4,
      "fgsm-0.2": 98.48,
      "fgsm-0.3": 98.86,
      "cw-0.2": 19.43,
      "cw-0.3": 0.71,
      "pgd-0.2": 0.5,
    },
    "small-sqa": {
      clean: [96.61, 0.28],
      "fgsm-0.2": [89.3, 0.19],
      "fgsm-0.3": [82.67, 0.21],
      "cw-0.2": [82.39, 0.17],
      "cw-0.3": [57.7, 0.4],
      "pgd-0.2": [7.43, 0.26],
    },
    "large-full": {
      clean: 99.25,
      "fgsm-0.2": 98.58,
      "fgsm-0.3": 98.21,
      "cw-0.2": 64.21,
      "cw-0.3": 19.49,
      "pgd-0.2": 0.86,
    },
    "large-sqa": {
      clean: [98.64, 0.34],
      "fgsm-0.2": [95.3, 0.06],
      "fgsm-0.3": [91.14, 0.24],
      "cw-0.2": [92.75, 0.34],
      "cw-0.3": [83.62, 0.33],
      "pgd-0.2": [83.9, 0.32],
    },
  },
};

/** Table 2: accuracy under white-box attacks, networks trained on FGSM images. */
const table2: PublishedTable = {
  data: "cifar10",
  rows: {
    "resnet34-full": {
      clean: 87.07,
      "fgsm-4": 46.21,
      "fgsm-8": 63.47,
      "cw-4": 13.5,
      "cw-8": 8.2,
      "pgd-8": 8.87,
    },
    "resnet34-sqa": {
      clean: [81.53, 0.38],
      "fgsm-4": [70.51, 0.49],
      "fgsm-8": [53.45, 0.44],
      "cw-4": [66.45, 0.45],
      "cw-8": [38.7, 0.62],
      "pgd-8": [48.32, 0.19],
    },
    "resnet101-full": {
      clean: 87.67,
      "fgsm-4": 52.44,
      "fgsm-8": 78.59,
      "cw-4": 12.17,
      "cw-8": 8.09,
      "pgd-8": 7.52,
    },
    "resnet101-sqa": {
      clean: [82.94, 0.42],
      "fgsm-4": [73.3, 0.39],
      "fgsm-8": [56.54, 0.52],
      "cw-4": [68.4, 0.69],
      "cw-8": [41.52, 0.41],
      "pgd-8": [52.12, 0.63],
    },
  },
};

/** Table 3: accuracy of defenses at 8/255, in percent, each on its own architecture. */
const table3 = {
  data: "cifar10",
  rows: {
    sap: { title: "SAP", model: "ResNet-20", "cw-8": 0 },
    "pixel-defend": { title: "PixelDefend", model: "ResNet-62", "pgd-8": 9 },
    thermometer: { title: "Thermometer", model: "WideResNet-30", "pgd-8": 30 },
    "pgd-training": {
      title: "adversarial training (Madry et al.)",
      model: "WideResNet",
      "pgd-8": 50,
      "cw-8": 46.8,
    },
    sqa: { title: "SQA", model: "ResNet-101", "pgd-8": 52.1, "cw-8": 41.5 },
  },
} as const;

/** Table 4: seconds an iteration, ResNet-34 on CIFAR-10, on the paper's GPU. */
const table4 = { fgsm: 0.43, "fgsm-sqa": 0.57, "pgd-10": 1.23, "pgd-20": 2.34, "pgd-100": 10.17 } as const;

/** Numbers of the paper's four tables. */
export const expected = { table1, table2, table3, table4 } as const;

/** Names of architectures and data sets in the paper, by their text. */
const names: Readonly<Record<string, string>> = {
  small: "SMALL",
  large: "LARGE",
  resnet34: "ResNet-34",
  resnet101: "ResNet-101",
  mnist: "MNIST",
  cifar10: "CIFAR-10",
};

/** Name of an architecture or a data set in the paper; its text where the paper has no other. */
export function paperName(thing: { toString(): string }): string {
  return names[String(thing)] ?? String(thing);
}

/** The paper's numbers of a row, by column; undefined where it has none, or for another data set. */
export function publishedRow(
  { data, rows }: PublishedTable,
  { identity }: { readonly identity: string },
  key: string,
): Readonly<Record<string, Published>> | undefined {
  return identity === data ? rows[key] : undefined;
}
