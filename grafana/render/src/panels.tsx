// Panels as thin wrappers over the components that Grafana's own panels use.
import React from 'react';
import { cacheFieldDisplayNames, FieldColorModeId, FieldConfigProperty, PanelPlugin, VizOrientation, createTheme, getFieldDisplayValues } from '@grafana/data';
import { BarGauge, BigValue, Table, TimeSeries, VizRepeater } from '@grafana/ui';
import * as unstable from '@grafana/ui/unstable';

const theme = createTheme({ colors: { mode: 'dark' } });

function Lines(p: any) {
  if (!p.data.series.length) {
    return <div>No data</div>;
  }
  return <TimeSeries frames={p.data.series} width={p.width} height={p.height} timeRange={p.timeRange} timeZone={p.timeZone}
    legend={p.options.legend} options={p.options} structureRev={p.data.structureRev} />;
}

const values = (p: any) => getFieldDisplayValues({
  fieldConfig: p.fieldConfig, reduceOptions: { calcs: ['lastNotNull'], values: false, ...p.options.reduceOptions },
  replaceVariables: p.replaceVariables, theme, data: p.data.series, sparkline: p.options.graphMode === 'area', timeZone: p.timeZone,
} as any);

function Stat(p: any) {
  const one = ({ value, width, height, count }: any) => <BigValue value={value.display} sparkline={value.sparkline} width={width}
    height={height} count={count} theme={theme} colorMode={p.options.colorMode} graphMode={p.options.graphMode}
    justifyMode={p.options.justifyMode} textMode={p.options.textMode} wideLayout={p.options.wideLayout} />;
  return <VizRepeater getValues={() => values(p)} source={p.data} width={p.width} height={p.height}
    orientation={VizOrientation.Auto} renderCounter={p.renderCounter} renderValue={one} />;
}

function Bars(p: any) {
  const shown = values(p);
  const longest = Math.max(...shown.map((value) => (value.display.title ?? '').length));
  const align = { text: '100.0 %', title: shown.map((value) => value.display.title ?? '').find((title) => title.length === longest) };
  const one = ({ value, width, height, orientation }: any) => <BarGauge value={value.display} width={width} height={height}
    orientation={orientation} field={value.field} display={value.view?.getFieldDisplayProcessor(value.colIndex)} theme={theme}
    displayMode={p.options.displayMode} valueDisplayMode={p.options.valueMode} namePlacement={p.options.namePlacement}
    alignmentFactors={align as any} showUnfilled={p.options.showUnfilled} isOverflow={false} />;
  return <VizRepeater getValues={() => shown} source={p.data} width={p.width} height={p.height} minVizHeight={p.options.minVizHeight}
    maxVizHeight={p.options.maxVizHeight} itemSpacing={8} orientation={VizOrientation.Horizontal} renderCounter={p.renderCounter} renderValue={one} />;
}

const AnyTable: any = (unstable as any).TableNG ?? Table;
function Rows(p: any) {
  const frame = p.data.series[0];
  if (!frame?.length) {
    return <div>No data</div>;
  }
  // As Grafana's panel does it: headers and the order of rows go by the names that are shown.
  cacheFieldDisplayNames([frame]);
  return <AnyTable data={frame} width={p.width} height={p.height} timeRange={p.timeRange} fieldConfig={p.fieldConfig}
    structureRev={1} cellHeight={p.options.cellHeight} initialSortBy={p.options.sortBy} noHeader={false} transparent={false} />;
}

/** Custom properties of a panel's fields, with their defaults. */
const custom = (defaults: Record<string, any>) => (builder: any) => {
  for (const [id, defaultValue] of Object.entries(defaults)) {
    builder.addCustomEditor({ id, path: id, name: id, defaultValue, editor: () => null, override: () => null, process: (v: any) => v, shouldApply: () => true });
  }
};

const LINES = {
  drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none', showPoints: 'auto', pointSize: 5,
  axisPlacement: 'auto', axisLabel: '', scaleDistribution: { type: 'linear' }, stacking: { mode: 'none', group: 'A' }, spanNulls: false,
  thresholdsStyle: { mode: 'off' }, axisBorderShow: false, axisColorMode: 'text', barAlignment: 0, hideFrom: { legend: false, tooltip: false, viz: false },
};
const CELLS = { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, width: undefined, minWidth: undefined };
const classic = { [FieldConfigProperty.Color]: { defaultValue: { mode: FieldColorModeId.PaletteClassic } } };

export const plugins: Record<string, any> = {
  timeseries: new PanelPlugin(Lines).useFieldConfig({ standardOptions: classic, useCustomConfig: custom(LINES) }),
  stat: new PanelPlugin(Stat).useFieldConfig({}),
  bargauge: new PanelPlugin(Bars).useFieldConfig({}),
  table: new PanelPlugin(Rows).useFieldConfig({ useCustomConfig: custom(CELLS) }),
};
for (const [id, plugin] of Object.entries(plugins)) {
  const info = { logos: { small: '', large: '' }, author: {}, links: [], screenshots: [], version: '', updated: '' };
  plugin.meta = { id, name: id, info, module: '', baseUrl: '', type: 'panel', sort: 1 };
}
