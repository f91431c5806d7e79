// Is each custom resource what its operator's schema says? Reads a JSON list, prints what is wrong, a line each.
// The schemas are those of @kubernetes-models, out of the operators' own CRDs. A field that no type declares is wrong,
// too: the API server would drop it silently.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const modules = process.argv[2];
const PLACES = {
  "keda.sh/v1alpha1": ["keda", "keda.sh/v1alpha1"],
  "postgresql.cnpg.io/v1": ["cloudnative-pg", "postgresql.cnpg.io/v1"],
  "gateway.networking.k8s.io/v1": ["gateway-api", "gateway.networking.k8s.io/v1"],
  "external-secrets.io/v1": ["external-secrets", "external-secrets.io/v1"],
  "monitoring.coreos.com/v1": ["prometheus-operator", "monitoring.coreos.com/v1"],
};
// Whose keys are the user's own.
const FREE = new Set(["metadata", "labels", "annotations", "matchLabels", "parameters", "data", "requests", "limits", "params"]);

// Every field that some type of these directories declares. Coarser than the place in the tree, and finds what is
// misspelt; what is in the wrong place and needed is found by the schema.
function fieldsOf(directories) {
  const fields = new Set();
  for (const directory of directories)
    for (const file of readdirSync(directory).filter((name) => name.endsWith(".d.ts")))
      for (const found of readFileSync(join(directory, file), "utf8").matchAll(/^\s*"([A-Za-z0-9]+)"\??:/gm))
        fields.add(found[1]);
  return fields;
}

function unknown(value, fields, path, wrong) {
  if (Array.isArray(value)) value.forEach((each, index) => unknown(each, fields, `${path}[${index}]`, wrong));
  else if (value && typeof value === "object")
    for (const [key, each] of Object.entries(value)) {
      if (!fields.has(key)) wrong.push(`${path}.${key}: no such field`);
      else if (!FREE.has(key)) unknown(each, fields, `${path}.${key}`, wrong);
    }
}

for (const one of JSON.parse(readFileSync(0, "utf8"))) {
  const name = `${one.kind} ${one.metadata.name}`;
  const place = PLACES[one.apiVersion];
  if (!place) {
    console.log(`${name}: ${one.apiVersion} is not known here`);
    continue;
  }
  const directory = join(modules, "@kubernetes-models", place[0], place[1]);
  const model = (await import(pathToFileURL(join(directory, `${one.kind}.js`))))[one.kind];
  try {
    new model(one).validate();
  } catch (error) {
    console.log(`${name}: ${error.message}`);
  }
  const wrong = [];
  const shared = join(modules, "kubernetes-models");
  const selectors = join(modules, "@kubernetes-models", "apimachinery", "apis/meta/v1");
  const known = fieldsOf([directory, selectors, join(shared, "v1"), join(shared, "autoscaling/v2")]);
  unknown(one.spec, known, "spec", wrong);
  wrong.forEach((each) => console.log(`${name}: ${each}`));
}
