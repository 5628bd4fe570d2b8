/** Every table and figure of the package; a new one is a file and a line here. */
export { collapse } from "./figures/collapse.js";
export { figure1 } from "./figures/figure1.js";
export { figure2 } from "./figures/figure2.js";
export { figure3 } from "./figures/figure3.js";
export { overfitting } from "./figures/overfitting.js";
export { noiseFree } from "./tables/noise-free.js";
export { placements } from "./tables/placements.js";
export { speed } from "./tables/speed.js";
export { table1 } from "./tables/table1.js";
export { table2 } from "./tables/table2.js";
export { table3 } from "./tables/table3.js";
export { table4 } from "./tables/table4.js";
