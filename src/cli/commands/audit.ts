import { basename } from "node:path";
import { isAbort } from "../../base/index.js";
import { setThreads } from "../../engine/index.js";
import { audit, auditShard } from "../../evaluation/index.js";
import { type CommandContext, defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { modelForms } from "../frame/inputs/model-from.js";
import { warn } from "../frame/output.js";
import { UsageError, usageUntilBegun } from "../frame/usage-error.js";
import { withBar } from "./audit/audit-bar.js";
import { type AuditCommandOptions, auditOptions } from "./audit/audit-options.js";
import { openAudit } from "./audit/open-audit.js";
import { auditSelfTest, refuseBesideSelfTest } from "./audit/self-test.js";
import { refuseOtherReport, showReport } from "./audit/show-report.js";
import { runJobs } from "./shards/jobs.js";
import { keepShard } from "./shards/keep-shard.js";
import { requestOf } from "./shards/request.js";
import { shardOf } from "./shards/shard-options.js";

async function run(given: AuditCommandOptions, text: string, context: CommandContext): Promise<number> {
  const { signal } = context;
  const shard = shardOf(given);
  const { model, images, options, parent } = await openAudit(given, text, signal);
  const request = requestOf("audit", given, context);
  if (shard !== undefined) {
    const { expectClean: _, ...asked } = options;
    return keepShard(
      auditShard(model, images, { ...asked, shard, folder: parent }),
      shard,
      request,
      given.json,
    );
  }
  let { batchSize } = options;
  if (given.jobs > 1) {
    const done = await runJobs({ request, folder: parent, jobs: given.jobs, threads: given.threads }, signal);
    if (done === undefined) return exitCode.stopped;
    batchSize = Number(done.facts["batch size"]);
  }
  const work = audit(model, images, { ...options, batchSize, folder: parent });
  for await (const event of withBar(usageUntilBegun(work))) {
    if (event.type === "plan" && given.out !== undefined)
      refuseOtherReport(given.out, basename(event.folder!));
  }
  const report = await work.then(undefined, (error) => {
    if (isAbort(error)) warn("stopped: the same command goes on");
    throw error;
  });
  await showReport(report, given.out ?? report.folder ?? parent, given.json);
  return exitCode.done;
}

/** `sqa audit`: tells whether a model's robustness is real. */
export const auditCommand = defineCommand({
  name: "audit",
  summary: "tell whether a model's claimed robustness is real",
  description:
    "Run the checklist of Athalye et al., Carlini et al. and Pintor et al. on a model and give a verdict " +
    "with the evidence: claim holds, not robust, overstated, masked or invalid. Writes audit.json, " +
    "audit.html and the adversarial images; a stopped audit goes on where it was.",
  operands: [
    {
      name: "model",
      description: modelForms,
      optional: true,
    },
  ],
  options: auditOptions,
  examples: [
    "sqa audit runs/NAME --budget quick",
    "sqa audit W.safetensors --architecture resnet18 --images cifar10 --epsilon 4/255",
    "sqa audit runs/NAME --epsilon 0.3 --claim 'fgsm(epsilon=0.3)' --surrogate runs/OTHER",
    "sqa audit runs/NAME --jobs 4",
    "sqa audit --self-test",
  ],
  run(given, context) {
    const [text] = context.operands;
    if (given.threads !== undefined) setThreads(given.threads);
    if (given.selfTest) {
      if (text !== undefined) throw new UsageError(`--self-test takes no model, given ${text}`);
      refuseBesideSelfTest(given, auditOptions.parse({}));
      return auditSelfTest({ ...given, signal: context.signal });
    }
    if (text === undefined) throw new UsageError("give a model, such as a run folder, or --self-test");
    return run(given, text, context);
  },
});
