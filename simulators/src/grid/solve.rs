//! Linear systems of the power flow: a symmetric positive definite matrix, factorised once for each
//! topology (Cholesky in a skyline after reverse Cuthill-McKee ordering), solved many times.

/// A factorised matrix.
#[derive(Debug, Clone, Default)]
pub(super) struct Factor {
    /// Unknown of each row of the factor.
    order: Vec<usize>,
    /// First column kept of each row.
    first: Vec<usize>,
    /// Rows of the lower factor, from `first` to the diagonal.
    rows: Vec<Vec<f64>>,
    scratch: Vec<f64>,
}

impl Factor {
    /// Factorise the matrix of a network: `edges` couple two unknowns by an admittance, `ground` ties an
    /// unknown to a fixed node. Every group of coupled unknowns needs a tie.
    pub(super) fn new(count: usize, edges: &[(usize, usize, f64)], ground: &[(usize, f64)]) -> Factor {
        let mut neighbours = vec![Vec::new(); count];
        for (a, b, _) in edges {
            neighbours[*a].push(*b);
            neighbours[*b].push(*a);
        }
        let order = ordering(&neighbours);
        let mut place = vec![0; count];
        for (row, unknown) in order.iter().enumerate() {
            place[*unknown] = row;
        }
        let mut first: Vec<usize> = (0..count).collect();
        for (a, b, _) in edges {
            let (low, high) = (place[*a].min(place[*b]), place[*a].max(place[*b]));
            first[high] = first[high].min(low);
        }
        let mut rows: Vec<Vec<f64>> = (0..count).map(|row| vec![0.0; row - first[row] + 1]).collect();
        for (a, b, y) in edges {
            let (low, high) = (place[*a].min(place[*b]), place[*a].max(place[*b]));
            rows[high][low - first[high]] -= y;
            for row in [low, high] {
                rows[row][row - first[row]] += y;
            }
        }
        for (unknown, y) in ground {
            let row = place[*unknown];
            rows[row][row - first[row]] += y;
        }
        let mut factor = Factor { order, first, rows, scratch: vec![0.0; count] };
        factor.factorise();
        factor
    }

    fn factorise(&mut self) {
        for row in 0..self.rows.len() {
            for column in self.first[row]..=row {
                let from = self.first[row].max(self.first[column]);
                let mut sum = self.rows[row][column - self.first[row]];
                for k in from..column {
                    sum -= self.rows[row][k - self.first[row]] * self.rows[column][k - self.first[column]];
                }
                self.rows[row][column - self.first[row]] = if column == row {
                    sum.max(1e-12).sqrt()
                } else {
                    sum / self.rows[column][column - self.first[column]]
                };
            }
        }
    }

    /// Solve for one right-hand side, in place.
    pub(super) fn solve(&mut self, values: &mut [f64]) {
        for row in 0..self.rows.len() {
            let mut sum = values[self.order[row]];
            let (kept, first) = (&self.rows[row], self.first[row]);
            for (k, l) in kept[..row - first].iter().enumerate() {
                sum -= l * self.scratch[first + k];
            }
            self.scratch[row] = sum / kept[row - first];
        }
        for row in (0..self.rows.len()).rev() {
            let (kept, first) = (&self.rows[row], self.first[row]);
            let value = self.scratch[row] / kept[row - first];
            self.scratch[row] = value;
            for (k, l) in kept[..row - first].iter().enumerate() {
                self.scratch[first + k] -= l * value;
            }
        }
        for (row, unknown) in self.order.iter().enumerate() {
            values[*unknown] = self.scratch[row];
        }
    }
}

/// Reverse Cuthill-McKee: breadth first from nodes of low degree, then backwards.
fn ordering(neighbours: &[Vec<usize>]) -> Vec<usize> {
    let mut starts: Vec<usize> = (0..neighbours.len()).collect();
    starts.sort_by_key(|n| (neighbours[*n].len(), *n));
    let mut seen = vec![false; neighbours.len()];
    let mut order = Vec::with_capacity(neighbours.len());
    for start in starts {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut next = order.len();
        order.push(start);
        while next < order.len() {
            let mut around: Vec<usize> =
                neighbours[order[next]].iter().copied().filter(|n| !seen[*n]).collect();
            around.sort_by_key(|n| (neighbours[*n].len(), *n));
            for node in around {
                if !std::mem::replace(&mut seen[node], true) {
                    order.push(node);
                }
            }
            next += 1;
        }
    }
    order.reverse();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_with_two_ties_is_solved_as_by_hand() {
        // 0 -1S- 1 -1S- 2, node 0 tied to ground with 1 S; 1 A flows into node 2.
        let mut factor = Factor::new(3, &[(0, 1, 1.0), (1, 2, 1.0)], &[(0, 1.0)]);
        let mut values = [0.0, 0.0, 1.0];
        factor.solve(&mut values);
        for (value, expected) in values.iter().zip([1.0, 2.0, 3.0]) {
            assert!((value - expected).abs() < 1e-12, "{value} {expected}");
        }
    }

    #[test]
    fn a_mesh_satisfies_its_own_equations() {
        let edges = [(0, 1, 2.0), (1, 2, 3.0), (2, 3, 1.5), (3, 0, 0.7), (0, 2, 5.0), (4, 3, 1.0)];
        let ground = [(1, 4.0)];
        let right = [1.0, -2.0, 0.5, 3.0, -1.0];
        let mut x = right;
        Factor::new(5, &edges, &ground).solve(&mut x);
        let mut back = [0.0; 5];
        for (a, b, y) in edges {
            back[a] += y * (x[a] - x[b]);
            back[b] += y * (x[b] - x[a]);
        }
        back[1] += 4.0 * x[1];
        for (a, b) in back.iter().zip(right) {
            assert!((a - b).abs() < 1e-9);
        }
    }
}
