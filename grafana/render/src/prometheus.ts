// Prometheus' answers as Grafana's data frames. (Grafana's own data source is part of its server.)
import { FieldType, LoadingState, toDataFrame } from '@grafana/data';
import { RuntimeDataSource, sceneGraph } from '@grafana/scenes';
import { from } from 'rxjs';

declare global { interface Window { queries: { expr: string; error?: string; series: number }[] } }
window.queries = [];

const api = (path: string) => fetch('/prometheus/api/v1/' + path).then((answer) => answer.json());

function legend(format: string | undefined, labels: Record<string, string>) {
  if (format && format !== '__auto') {
    return format.replace(/{{\s*(\w+)\s*}}/g, (_, name) => labels[name] ?? '');
  }
  return Object.entries(labels).filter(([name]) => name !== '__name__').map(([name, value]) => `${name}="${value}"`).join(', ');
}

export class Prometheus extends RuntimeDataSource {
  query(request: any): any {
    return from(this.run(request));
  }

  async run(request: any) {
    const frames: any[] = [];
    const targets = request.targets.filter((target: any) => !target.hide);
    for (const target of targets) {
      const expr = interpolate(target.expr, request);
      const [start, end] = [request.range.from.valueOf() / 1000, request.range.to.valueOf() / 1000];
      const step = Math.max(1, Math.round(request.intervalMs / 1000));
      const answer = await api((target.instant ? `query?time=${end}` : `query_range?start=${start}&end=${end}&step=${step}`)
        + '&query=' + encodeURIComponent(expr));
      window.queries.push({ expr, error: answer.error, series: answer.data?.result?.length ?? 0 });
      if (answer.status !== 'success') {
        throw new Error(`${answer.error} in ${expr}`);
      }
      const result: any[] = answer.data.result;
      if (target.format === 'table') {
        frames.push(table(target.refId, result, targets.length > 1 ? `Value #${target.refId}` : 'Value'));
      } else {
        frames.push(...result.map((one) => series(target, one)));
      }
    }
    return { data: frames, state: LoadingState.Done };
  }

  async metricFindQuery(query: any) {
    const text = typeof query === 'string' ? query : query.query;
    const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(text)!;
    const answer = await api(`label/${label}/values?match[]=${encodeURIComponent(selector)}`);
    return answer.data.map((value: string) => ({ text: value }));
  }

  async testDatasource() {
    return { status: 'success', message: '' };
  }
}

function table(refId: string, result: any[], value: string) {
  const names = [...new Set(result.flatMap((one) => Object.keys(one.metric)))];
  return toDataFrame({
    refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: result.map((one) => one.value[0] * 1000) },
      ...names.map((name) => ({ name, type: FieldType.string, values: result.map((one) => one.metric[name]) })),
      { name: value, type: FieldType.number, values: result.map((one) => +one.value[1]) },
    ],
  });
}

function series(target: any, one: any) {
  const samples: any[] = one.values ?? [one.value];
  const name = legend(target.legendFormat, one.metric);
  return toDataFrame({
    refId: target.refId,
    name,
    fields: [
      { name: 'Time', type: FieldType.time, values: samples.map((sample) => sample[0] * 1000) },
      { name: 'Value', type: FieldType.number, labels: one.metric, config: { displayNameFromDS: name }, values: samples.map((sample) => +sample[1]) },
    ],
  });
}

function interpolate(expr: string, request: any) {
  const scoped = { ...request.scopedVars };
  const scene = scoped.__sceneObject?.value?.valueOf?.() ?? scoped.__sceneObject?.value;
  const seconds = Math.round((request.range.to.valueOf() - request.range.from.valueOf()) / 1000);
  const step = Math.max(1, Math.round(request.intervalMs / 1000));
  const timed = expr
    .replace(/\$__rate_interval/g, `${Math.max(step + 2, 8)}s`)
    .replace(/\$__range\b/g, `${seconds}s`)
    .replace(/\$__interval\b/g, `${step}s`);
  // As Grafana does it: several values of a variable become a regular expression.
  return scene ? sceneGraph.interpolate(scene, timed, scoped, 'regex') : timed;
}
