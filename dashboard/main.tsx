import { render } from "preact";
import { useEffect } from "preact/hooks";
import { type Route, useRoute } from "./data/route.js";
import { Head } from "./parts/head.js";
import "./style.css";
import { AuditView } from "./views/audit.js";
import { AuditsView } from "./views/audits.js";
import { CompareView } from "./views/compare.js";
import { PaperView } from "./views/paper.js";
import { PlaygroundView } from "./views/playground.js";
import { RunView } from "./views/run.js";
import { RunsView } from "./views/runs.js";
import { WorkView } from "./views/work.js";

function View({ route: { parts, query } }: { readonly route: Route }) {
  const [place = "runs", first, second] = parts;
  if (place === "compare") return <CompareView names={query.getAll("run")} />;
  if (place === "runs" && first !== undefined) return <RunView key={first} name={first} />;
  if (place === "audits" && first !== undefined && second !== undefined)
    return <AuditView key={`${first}/${second}`} run={first} name={second} />;
  if (place === "audits") return <AuditsView />;
  if (place === "paper") return <PaperView />;
  if (place === "playground") return <PlaygroundView wanted={query.get("run") ?? ""} />;
  if (place === "work") return <WorkView wanted={query.get("run") ?? ""} />;
  return <RunsView />;
}

function App() {
  const route = useRoute();
  const place = route.parts[0] ?? "runs";
  const title = ["sqa", ...route.parts].join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <>
      <Head place={place === "compare" ? "runs" : place} />
      <main id="main" tabIndex={-1}>
        <View route={route} />
      </main>
    </>
  );
}

render(<App />, document.getElementById("app")!);
