/** Lines of Python that export a model as .pt2, as messages show them. */
export const exportRecipe = [
  "import torch; from torch.export import export, save, Dim",
  "m = MyModel(); m.load_state_dict(torch.load('weights.pt')); m.eval()",
  "x = torch.rand(2, 3, 224, 224)  # images in [0, 1]; normalize inside of m, or give sqa mean and std",
  "save(export(m, (x,), dynamic_shapes=({0: Dim('n', min=1, max=1024)},)), 'model.pt2')",
  "# if the free batch size is refused: save(export(m, (x,)), 'model.pt2')",
].join("\n  ");

/** Advice to export a model, with the lines that do so. */
export const exportAdvice = `export the model in Python, once:\n  ${exportRecipe}`;

/** Tells whether an archive with files of such names was written by `torch.jit.save`. */
export function isTorchScript(names: readonly string[]): boolean {
  return names.some((name) => /^[^/]+\/(constants\.pkl|code\/)/.test(name));
}

/** Refusal of TorchScript, with the way to a file that is read. */
export const torchScriptProblem = `TorchScript is a program, which is never run; ${exportAdvice}`;

/** Refusal of a module that `torch.save` wrote whole, with the way to a file that is read. */
export const wholeModuleProblem = `A whole module is a program, which is never run; ${exportAdvice}`;
