// What Grafana's server and its frontend set up before they show a dashboard, for its libraries alone.
import * as data from '@grafana/data';
import { createTheme, standardFieldConfigEditorRegistry } from '@grafana/data';
import * as runtime from '@grafana/runtime';
import { initPluginTranslations } from '@grafana/i18n';
import { sceneUtils } from '@grafana/scenes';
import { catchError, map, of } from 'rxjs';
import { LoadingState } from '@grafana/data';
import { Prometheus } from './prometheus';
import { plugins } from './panels';

export const theme = createTheme({ colors: { mode: 'dark' } });

const processors: any = data;

/** A property of the field configuration, read by Grafana's own code. */
function property(id: string, process: any, defaultValue?: any) {
  return {
    id, path: id, name: id, description: '', editor: () => null, override: () => null, process,
    shouldApply: () => true, getItemsCount: () => 0, defaultValue, settings: {}, category: [],
  };
}

function fieldProperties() {
  const p = processors;
  const green = { mode: 'absolute', steps: [{ value: -Infinity, color: 'green' }] };
  return [
    property('unit', p.unitOverrideProcessor), property('min', p.numberOverrideProcessor),
    property('max', p.numberOverrideProcessor), property('fieldMinMax', p.booleanOverrideProcessor),
    property('decimals', p.numberOverrideProcessor), property('displayName', p.displayNameOverrideProcessor),
    property('color', p.identityOverrideProcessor, { mode: 'thresholds' }),
    property('noValue', p.stringOverrideProcessor), property('links', p.dataLinksOverrideProcessor),
    property('actions', p.identityOverrideProcessor), property('mappings', p.valueMappingsOverrideProcessor, []),
    property('thresholds', p.thresholdsOverrideProcessor, green), property('filterable', p.booleanOverrideProcessor),
  ];
}

function transformers() {
  const all: any[] = Object.values(processors.standardTransformers);
  const once = [...new Map(all.map((t) => [t.id, t])).values()];
  return once.map((t) => ({ id: t.id, name: t.name, transformation: t, editor: () => null, imageDark: '', imageLight: '' }));
}

export async function prepare() {
  const r: any = runtime;
  r.config.theme2 = theme;
  standardFieldConfigEditorRegistry.setInit(fieldProperties as any);
  processors.standardTransformersRegistry.setInit(transformers);
  const source: any = new Prometheus('prometheus', 'prometheus');
  sceneUtils.registerRuntimeDataSource({ dataSource: source });
  const settings = { uid: 'prometheus', name: 'Prometheus', type: 'prometheus', meta: { id: 'prometheus', name: 'prometheus' }, isDefault: true };
  r.setDataSourceSrv({
    get: async () => source, getList: () => [settings], getInstanceSettings: () => settings, reload() {},
    registerRuntimeDataSource() {},
  });
  r.setRunRequest((_: any, request: any) => source.query(request).pipe(
    map((answer: any) => ({ state: LoadingState.Done, series: answer.data, timeRange: request.range, request, structureRev: 1 })),
    catchError((e: any) => of({ state: LoadingState.Error, series: [], errors: [{ message: String(e.message) }], timeRange: request.range, request })),
  ));
  r.setPluginImportUtils({ importPanelPlugin: async (id: string) => plugins[id], getPanelPluginFromCache: (id: string) => plugins[id] });
  r.setTemplateSrv?.({
    replace: (text: string) => text, getVariables: () => [], containsTemplate: () => false, updateTimeRange() {},
    getAllVariablesInScope: () => ({}),
  });
  r.setAppEvents?.(new processors.EventBusSrv());
  r.setChromeHeaderHeightHook?.(() => 0);
  r.setPluginExtensionGetter?.(() => ({ extensions: [] }));
  r.setPluginExtensionsHook?.(() => ({ extensions: [], isLoading: false }));
  r.setPluginLinksHook?.(() => ({ links: [], isLoading: false }));
  r.setPluginComponentsHook?.(() => ({ components: [], isLoading: false }));
  r.setBackendSrv?.({ fetch: () => of({}), get: async () => ({}) });
  for (const name of ['grafana', 'grafana-scenes']) {
    // Without translations the English words are shown, which is what we want.
    await initPluginTranslations(name, []).catch(() => undefined);
  }
}
