// node validate.mjs SCHEMAS DASHBOARD.json...: against JSON Schemas made of the TypeScript kinds in @grafana/schema, which are kept
// in the folder SCHEMAS. Stricter than Grafana's own loader. Rows, panels, options and field configuration are judged one by one,
// so that a message names the panel.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const [folder, ...files] = process.argv.slice(2);
const here = path.dirname(new URL(import.meta.url).pathname);
const kinds = path.join(here, 'node_modules/@grafana/schema/dist/types/raw');
mkdirSync(folder, { recursive: true });

/** The schema of one exported type; made once. */
function schema(name, file, type) {
  const kept = path.join(folder, `${name}.json`);
  if (!existsSync(kept)) {
    const config = { path: path.join(kinds, file), type, tsconfig: path.join(here, 'tsconfig.json'), skipTypeCheck: true };
    writeFileSync(kept, JSON.stringify(createGenerator(config).createSchema(type)));
  }
  return JSON.parse(readFileSync(kept, 'utf8'));
}

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
const { definitions } = schema('dashboard', 'dashboard/x/types.gen.d.ts', 'Dashboard');
const compile = (name, changed = {}) => ajv.compile({ $ref: `#/definitions/${name}`, definitions: { ...definitions, ...changed } });
const whole = definitions.Dashboard;
const isDashboard = compile('Dashboard', { Dashboard: { ...whole, properties: { ...whole.properties, panels: { type: 'array' } } } });
const isPanel = compile('Panel');
const isRow = compile('RowPanel', { Panel: {} });
const options = {};
for (const kind of ['timeseries', 'stat', 'bargauge', 'table']) {
  options[kind] = ajv.compile(schema(kind, `composable/${kind}/panelcfg/x/types.gen.d.ts`, 'Options'));
}
const isCustom = ajv.compile(schema('timeseries-fields', 'composable/timeseries/panelcfg/x/types.gen.d.ts', 'FieldConfig'));

let faults = 0;
function judge(is, value, where) {
  if (is(value)) {
    return;
  }
  for (const message of new Set(is.errors.map((e) => `${e.instancePath} ${e.message} ${Object.values(e.params).join()}`))) {
    faults += 1;
    console.log(`FAULT ${where} ${message}`);
  }
}

for (const file of files) {
  const dashboard = JSON.parse(readFileSync(file, 'utf8'));
  const name = path.basename(file);
  judge(isDashboard, dashboard, name);
  for (const panel of dashboard.panels) {
    const where = `${name} [${panel.title}]`;
    if (panel.type === 'row') {
      judge(isRow, panel, where);
      continue;
    }
    judge(isPanel, panel, where);
    if (!options[panel.type]) {
      faults += 1;
      console.log(`FAULT ${where} a panel of type ${panel.type} is not known here`);
      continue;
    }
    judge(options[panel.type], panel.options, `${where} options`);
    if (panel.type === 'timeseries') {
      judge(isCustom, panel.fieldConfig.defaults.custom, `${where} fields`);
    }
  }
}
console.log(faults ? `${faults} faults` : `${files.length} dashboards agree with the schema`);
process.exit(faults ? 1 : 0);
