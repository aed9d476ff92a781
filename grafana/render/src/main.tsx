// Shows a dashboard with Grafana's own libraries: /?d=gridtap-fleet&from=now-4m&station=FDR-1
import React from 'react';
import { createRoot } from 'react-dom/client';
import { MemoryRouter } from 'react-router-dom';
import { ThemeContext } from '@grafana/data';
import * as ui from '@grafana/ui';
import {
  ConstantVariable, DataSourceVariable, EmbeddedScene, QueryVariable, SceneDataTransformer, SceneGridItem, SceneGridLayout, SceneGridRow,
  SceneQueryRunner, SceneTimeRange, SceneVariableSet, VariableValueSelectors, VizPanel,
} from '@grafana/scenes';
import { prepare, theme } from './grafana';

const SOURCE = { uid: 'prometheus', type: 'prometheus' };
const asked = new URLSearchParams(location.search);

function variable(v: any): any {
  const chosen = asked.get(v.name);
  const common = { name: v.name, label: v.label, ...(chosen ? { value: chosen, text: chosen } : {}) };
  switch (v.type) {
    case 'datasource':
      return new DataSourceVariable({ ...common, pluginId: v.query, value: SOURCE.uid, text: 'Prometheus' });
    case 'query':
      return new QueryVariable({
        ...common, datasource: SOURCE, query: v.query, isMulti: v.multi, includeAll: v.includeAll, allValue: v.allValue,
        defaultToAll: v.includeAll, refresh: v.refresh, regex: v.regex, sort: v.sort,
      });
    case 'constant':
      return new ConstantVariable({ ...common, value: v.query, hide: v.hide });
    default:
      throw new Error(`variable ${v.name} is of type ${v.type}`);
  }
}

function panel(p: any): any {
  const runner = new SceneQueryRunner({ datasource: SOURCE, queries: p.targets, maxDataPointsFromWidth: true });
  return new SceneGridItem({
    x: p.gridPos.x, y: p.gridPos.y, width: p.gridPos.w, height: p.gridPos.h, isResizable: false, isDraggable: false,
    body: new VizPanel({
      key: `panel-${p.id}`, title: p.title, description: p.description, pluginId: p.type, pluginVersion: '12.4.10',
      options: p.options, fieldConfig: p.fieldConfig,
      $data: new SceneDataTransformer({ transformations: p.transformations ?? [], $data: runner }),
    }),
  });
}

function scene(d: any) {
  const children = d.panels.map((p: any) => (p.type === 'row'
    ? new SceneGridRow({ title: p.title, y: p.gridPos.y, isCollapsed: false, isCollapsible: false, children: p.panels.map(panel) })
    : panel(p)));
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ from: asked.get('from') ?? d.time.from, to: 'now', timeZone: d.timezone }),
    $variables: new SceneVariableSet({ variables: d.templating.list.map(variable) }),
    controls: [new VariableValueSelectors({})],
    body: new SceneGridLayout({ children, isLazy: false } as any),
  });
}

async function show() {
  await prepare();
  const dashboard = await fetch(`/${asked.get('d')}.json`).then((answer) => answer.json());
  const shown = scene(dashboard);
  const Styles: any = (ui as any).GlobalStyles;
  createRoot(document.getElementById('root')!).render(
    <MemoryRouter>
      <ThemeContext.Provider value={theme}>
        {Styles ? <Styles /> : null}
        <div style={{ color: '#ccc', padding: 12 }}>
          <h3>{dashboard.title}</h3>
          <shown.Component model={shown} />
        </div>
      </ThemeContext.Provider>
    </MemoryRouter>,
  );
}

show().catch((error) => {
  document.body.textContent = `cannot be shown: ${error.stack}`;
});
