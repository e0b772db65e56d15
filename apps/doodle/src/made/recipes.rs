//! What people draw when they are asked for a thing, in a square of 100 units, y downwards.

use super::pen::{At, Pen};
use std::f64::consts::TAU;

/// Draws the class of this number in [`super::CLASSES`].
pub fn draw(class: usize, pen: &mut Pen) {
    let recipes: [fn(&mut Pen); 20] = [
        apple, bicycle, car, cat, cloud, cup, envelope, fish, flower, house, ladder, moon, mushroom, sailboat, smiley, snowman, star, sun,
        tree, umbrella,
    ];
    recipes[class % recipes.len()](pen);
}

fn turned(centre: At, radius: f64, turns: f64) -> At {
    (centre.0 + radius * (TAU * turns).cos(), centre.1 + radius * (TAU * turns).sin())
}

fn apple(pen: &mut Pen) {
    let (w, dip) = (pen.within(32.0, 42.0), pen.within(2.0, 12.0));
    if pen.chance(0.75) {
        let bottom = if pen.chance(0.5) { 92.0 - dip / 2.0 } else { 94.0 };
        let half = [(50.0, 28.0 + dip), (50.0 + 0.55 * w, 24.0), (50.0 + w, 48.0), (50.0 + 0.75 * w, 80.0), (50.0 + 0.3 * w, 95.0)];
        let other = half.iter().rev().map(|p| (100.0 - p.0, p.1));
        let around: Vec<At> = half.into_iter().chain([(50.0, bottom)]).chain(other).collect();
        pen.curve(&around);
    } else {
        pen.oval((50.0, 60.0), (w, 34.0));
    }
    let top = (pen.within(46.0, 62.0), pen.within(4.0, 14.0));
    if pen.chance(0.9) {
        pen.curve(&[(50.0, 30.0 + dip / 2.0), (51.0, 22.0), top]);
    }
    if pen.chance(0.55) {
        let (dx, dy) = (pen.within(14.0, 24.0), pen.within(4.0, 14.0));
        let tip = (52.0 + dx, 22.0 - dy);
        pen.curve(&[(52.0, 22.0), (52.0 + dx / 3.0, 22.0 - dy), tip, (52.0 + 0.7 * dx, 23.0), (52.0, 22.0)]);
    }
}

fn bicycle(pen: &mut Pen) {
    let r = pen.within(15.0, 23.0);
    let (left, right, y) = ((24.0, 68.0), (76.0, 68.0), 68.0);
    pen.oval(left, (r, r));
    pen.oval(right, (r, r));
    let (seat, pedal, bar) = ((pen.within(36.0, 42.0), 40.0), (pen.within(46.0, 52.0), y), (pen.within(64.0, 70.0), 38.0));
    match pen.random.whole(0, 2) {
        0 => {
            pen.path(&[left, seat, bar, pedal, seat]);
            pen.path(&[left, pedal]);
        }
        1 => {
            pen.path(&[left, seat, bar, right]);
            pen.path(&[seat, pedal, bar]);
        }
        _ => pen.path(&[left, seat, bar, right]),
    }
    pen.line(right, (bar.0 - 2.0, 28.0));
    let ahead = pen.within(6.0, 14.0);
    pen.path(&[(bar.0 - 2.0 - 0.6 * ahead, 28.0), (bar.0 - 2.0 + ahead, 27.0)]);
    pen.line(seat, (seat.0 - 2.0, 33.0));
    pen.line((seat.0 - 9.0, 33.0), (seat.0 + 6.0, 33.0));
    for wheel in [left, right] {
        if pen.chance(0.25) {
            let spokes = pen.random.whole(2, 4);
            (0..spokes).for_each(|i| {
                let t = i as f64 / (2 * spokes) as f64;
                pen.line(turned(wheel, r, t), turned(wheel, r, t + 0.5));
            });
        }
    }
}

fn car(pen: &mut Pen) {
    let (top, roof, body, floor) = (pen.within(24.0, 34.0), pen.within(26.0, 36.0), pen.within(44.0, 52.0), pen.within(68.0, 74.0));
    let back = pen.within(58.0, 74.0);
    let outline =
        [(4.0, floor), (5.0, body), (roof - 10.0, body), (roof, top), (back, top), (back + 12.0, body), (96.0, body + 3.0), (96.0, floor)];
    if pen.chance(0.25) {
        pen.polygon(&[(4.0, body), (96.0, body), (96.0, floor), (4.0, floor)]);
        pen.arc((50.0, body), (26.0, body - top), 0.5, 1.0);
    } else if pen.chance(0.5) {
        pen.polygon(&outline);
    } else {
        pen.path(&outline);
        pen.line((4.0, floor), (96.0, floor));
    }
    let r = pen.within(8.0, 13.0);
    for x in [26.0, 76.0] {
        pen.oval((x, floor), (r, r));
        if pen.chance(0.35) {
            pen.oval((x, floor), (0.4 * r, 0.4 * r));
        }
    }
    if pen.chance(0.6) {
        let middle = (roof + back) / 2.0;
        pen.polygon(&[(roof + 3.0, top + 5.0), (middle - 2.0, top + 5.0), (middle - 2.0, body), (roof - 4.0, body)]);
        pen.polygon(&[(middle + 3.0, top + 5.0), (back - 1.0, top + 5.0), (back + 6.0, body), (middle + 3.0, body)]);
    }
}

fn cat(pen: &mut Pen) {
    let (rx, ry, ear) = (pen.within(28.0, 38.0), pen.within(24.0, 34.0), pen.within(16.0, 26.0));
    let centre = (50.0, 58.0);
    pen.oval(centre, (rx, ry));
    for side in [-1.0, 1.0] {
        let at = |dx: f64, dy: f64| (50.0 + side * dx * rx, 58.0 - dy * ry);
        let tip = (at(0.85, 0.0).0, at(0.0, 1.0).1 - ear + 8.0);
        pen.path(&[at(0.95, 0.45), tip, at(0.3, 0.95)]);
    }
    let eyes = pen.within(2.0, 5.0);
    pen.dot((39.0, 52.0), eyes);
    pen.dot((61.0, 52.0), eyes);
    if pen.chance(0.85) {
        pen.polygon(&[(46.0, 60.0), (54.0, 60.0), (50.0, 65.0)]);
    }
    if pen.chance(0.6) {
        pen.arc((45.5, 66.0), (4.5, 5.0), 0.0, 0.5);
        pen.arc((54.5, 66.0), (4.5, 5.0), 0.0, 0.5);
    }
    if pen.chance(0.85) {
        let (n, long) = (pen.random.whole(2, 3), pen.within(22.0, 36.0));
        for side in [-1.0, 1.0] {
            for i in 0..n {
                let y = 62.0 + 5.0 * i as f64;
                pen.line((50.0 + side * 14.0, y), (50.0 + side * (14.0 + long), y - 6.0 + 6.0 * i as f64));
            }
        }
    }
}

fn cloud(pen: &mut Pen) {
    let (n, rx, ry) = (pen.random.whole(5, 10), pen.within(34.0, 44.0), pen.within(14.0, 26.0));
    pen.bulges((50.0, 50.0), (rx, ry), n);
}

fn cup(pen: &mut Pen) {
    let (narrow, right, bottom) = (pen.within(0.0, 14.0), pen.within(62.0, 72.0), pen.within(78.0, 92.0));
    let left = 12.0;
    if pen.chance(0.4) {
        pen.oval(((left + right) / 2.0, 22.0), ((right - left) / 2.0, 6.0));
    } else {
        pen.line((left, 20.0), (right, 20.0));
    }
    if pen.chance(0.5) {
        pen.path(&[(left, 21.0), (left + narrow, bottom), (right - narrow, bottom), (right, 21.0)]);
    } else {
        pen.curve(&[
            (left, 21.0),
            (left + 0.3 * narrow, 50.0),
            (left + narrow + 4.0, bottom - 4.0),
            (40.0, bottom),
            (right - narrow - 4.0, bottom - 4.0),
            (right - 0.3 * narrow, 50.0),
            (right, 21.0),
        ]);
    }
    let (out, low) = (pen.within(14.0, 26.0), pen.within(52.0, 66.0));
    let at = right - narrow * 0.3;
    pen.curve(&[(at, 32.0), (at + out, 34.0), (at + out, low - 6.0), (at - 2.0, low)]);
    if pen.chance(0.35) {
        pen.curve(&[(at, 37.0), (at + 0.6 * out, 39.0), (at + 0.6 * out, low - 10.0), (at - 1.0, low - 5.0)]);
    }
    if pen.chance(0.15) {
        (0..3).for_each(|i| {
            let x = 26.0 + 12.0 * f64::from(i);
            pen.curve(&[(x, 14.0), (x + 3.0, 8.0), (x - 3.0, 3.0), (x + 1.0, -4.0)]);
        });
    }
}

fn envelope(pen: &mut Pen) {
    let (top, bottom) = (pen.within(20.0, 30.0), pen.within(70.0, 82.0));
    pen.polygon(&[(6.0, top), (94.0, top), (94.0, bottom), (6.0, bottom)]);
    let point = (50.0, pen.within(44.0, 60.0));
    pen.path(&[(6.0, top), point, (94.0, top)]);
    if pen.chance(0.35) {
        pen.line((6.0, bottom), (40.0, 0.5 * (point.1 + top) + 8.0));
        pen.line((94.0, bottom), (60.0, 0.5 * (point.1 + top) + 8.0));
    }
}

fn fish(pen: &mut Pen) {
    let (ry, tail, joint) = (pen.within(16.0, 27.0), pen.within(12.0, 22.0), pen.within(68.0, 76.0));
    if pen.chance(0.55) {
        pen.curve(&[
            (96.0, 50.0 - tail),
            (joint, 50.0),
            (45.0, 50.0 + ry),
            (14.0, 58.0),
            (5.0, 50.0),
            (14.0, 42.0),
            (45.0, 50.0 - ry),
            (joint, 50.0),
            (96.0, 50.0 + tail),
        ]);
        pen.curve(&[(96.0, 50.0 - tail), (90.0, 50.0), (96.0, 50.0 + tail)]);
    } else {
        pen.oval((40.0, 50.0), (35.0, ry));
        pen.polygon(&[(joint, 50.0), (95.0, 50.0 - tail), (95.0, 50.0 + tail)]);
    }
    pen.dot((20.0, 46.0), 3.0);
    if pen.chance(0.4) {
        pen.arc((22.0, 50.0), (8.0, 0.7 * ry), -0.2, 0.2);
    }
    if pen.chance(0.3) {
        pen.curve(&[(34.0, 50.0 - 0.9 * ry), (44.0, 40.0 - ry), (54.0, 50.0 - 0.9 * ry)]);
    }
    if pen.chance(0.3) {
        pen.curve(&[(9.0, 54.0), (14.0, 56.0), (18.0, 54.0)]);
    }
    if pen.chance(0.25) {
        (0..3).for_each(|i| pen.arc((36.0 + 10.0 * f64::from(i), 50.0), (5.0, 7.0), -0.25, 0.25));
    }
}

fn flower(pen: &mut Pen) {
    let (centre, r, petal) = ((50.0, 32.0), pen.within(6.0, 10.0), pen.within(9.0, 15.0));
    pen.oval(centre, (r, r));
    let (n, start) = (pen.random.whole(5, 8), pen.within(0.0, 1.0));
    if pen.chance(0.5) {
        (0..n).for_each(|i| pen.oval(turned(centre, r + 0.8 * petal, start + i as f64 / n as f64), (0.85 * petal, 0.85 * petal)));
    } else {
        let mut around = vec![];
        for i in 0..n {
            let at = |t: f64, far: f64| turned(centre, r + far * petal, start + (i as f64 + t) / n as f64);
            around.extend([at(0.0, 0.1), at(0.2, 1.3), at(0.5, 1.8), at(0.8, 1.3)]);
        }
        around.push(around[0]);
        pen.curve(&around);
    }
    if pen.chance(0.92) {
        let foot = (pen.within(44.0, 56.0), 98.0);
        pen.curve(&[(50.0, 33.0 + r + 1.4 * petal), (50.0, 78.0), foot]);
        for side in [-1.0, 1.0] {
            if pen.chance(0.5) {
                let (y, out) = (pen.within(72.0, 88.0), pen.within(14.0, 24.0));
                pen.curve(&[
                    (50.0, y),
                    (50.0 + side * 0.6 * out, y - 12.0),
                    (50.0 + side * out, y - 10.0),
                    (50.0 + side * 0.6 * out, y - 1.0),
                    (50.0, y),
                ]);
            }
        }
    }
}

fn house(pen: &mut Pen) {
    let (left, right, eaves, over) = (pen.within(12.0, 20.0), pen.within(80.0, 88.0), pen.within(36.0, 48.0), pen.within(0.0, 10.0));
    let peak = (50.0, pen.within(4.0, 16.0));
    if pen.chance(0.3) {
        pen.path(&[(left, eaves), (left, 95.0), (right, 95.0), (right, eaves), peak, (left, eaves)]);
        if pen.chance(0.6) {
            pen.line((left, eaves), (right, eaves));
        }
    } else {
        pen.polygon(&[(left, eaves), (right, eaves), (right, 95.0), (left, 95.0)]);
        pen.path(&[(left - over, eaves), peak, (right + over, eaves)]);
    }
    if pen.chance(0.75) {
        let (x, w, h) = (pen.within(38.0, 56.0), pen.within(10.0, 17.0), pen.within(22.0, 34.0));
        pen.path(&[(x, 95.0), (x, 95.0 - h), (x + w, 95.0 - h), (x + w, 95.0)]);
        if pen.chance(0.35) {
            pen.dot((x + 0.8 * w, 95.0 - 0.5 * h), 1.2);
        }
    }
    let windows = pen.random.whole(0, 2);
    for x in [left + 6.0, right - 18.0].into_iter().take(windows) {
        let (y, s) = (eaves + 8.0, pen.within(10.0, 14.0));
        pen.polygon(&[(x, y), (x + s, y), (x + s, y + s), (x, y + s)]);
        if pen.chance(0.6) {
            pen.line((x + s / 2.0, y), (x + s / 2.0, y + s));
            pen.line((x, y + s / 2.0), (x + s, y + s / 2.0));
        }
    }
    if pen.chance(0.3) {
        pen.path(&[(68.0, 24.0), (68.0, 8.0), (77.0, 8.0), (77.0, 30.0)]);
    }
}

fn ladder(pen: &mut Pen) {
    let (left, right, n, lean) = (pen.within(26.0, 36.0), pen.within(62.0, 74.0), pen.random.whole(4, 8), pen.within(-6.0, 6.0));
    pen.line((left + lean, 2.0), (left, 98.0));
    pen.line((right + lean, 2.0), (right, 98.0));
    for i in 0..n {
        let y = 98.0 * (i as f64 + 0.7) / (n as f64 + 0.3);
        let shift = lean * (1.0 - y / 98.0);
        pen.line((left + shift, y), (right + shift, y));
    }
}

fn moon(pen: &mut Pen) {
    let (hollow, half) = (pen.within(10.0, 30.0), pen.within(0.2, 0.3));
    let (top, bottom) = (turned((50.0, 50.0), 46.0, half), turned((50.0, 50.0), 46.0, -half));
    pen.arc((50.0, 50.0), (46.0, 46.0), half, 1.0 - half);
    let x = top.0 - hollow;
    pen.curve(&[bottom, (x, 0.5 * (bottom.1 + 50.0)), (x - 6.0, 50.0), (x, 0.5 * (top.1 + 50.0)), top]);
    if pen.chance(0.1) {
        pen.dot((24.0, 40.0), 4.0);
        pen.dot((20.0, 60.0), 3.0);
    }
}

fn mushroom(pen: &mut Pen) {
    let (w, rim, stem) = (pen.within(36.0, 46.0), pen.within(46.0, 56.0), pen.within(9.0, 16.0));
    pen.arc((50.0, rim), (w, rim - 6.0), 0.5, 1.0);
    if pen.chance(0.5) {
        pen.line((50.0 - w, rim), (50.0 + w, rim));
    } else {
        pen.curve(&[(50.0 - w, rim), (50.0, rim + 8.0), (50.0 + w, rim)]);
    }
    let flare = pen.within(0.0, 6.0);
    if pen.chance(0.5) {
        pen.path(&[(50.0 - stem, rim), (50.0 - stem - flare, 94.0), (50.0 + stem + flare, 94.0), (50.0 + stem, rim)]);
    } else {
        pen.curve(&[(50.0 - stem, rim), (50.0 - stem - flare, 86.0), (50.0, 97.0), (50.0 + stem + flare, 86.0), (50.0 + stem, rim)]);
    }
    let spots = pen.random.whole(0, 5);
    for _ in 0..spots {
        let (turn, far) = (pen.within(0.55, 0.95), pen.within(0.2, 0.75));
        let at = (50.0 + far * w * (TAU * turn).cos(), rim + far * (rim - 6.0) * (TAU * turn).sin());
        let r = pen.within(2.0, 6.0);
        pen.oval(at, (r, r));
    }
}

fn sailboat(pen: &mut Pen) {
    let (deck, keel, mast) = (pen.within(68.0, 76.0), pen.within(88.0, 96.0), pen.within(42.0, 54.0));
    let (bow, stern) = (pen.within(12.0, 24.0), pen.within(76.0, 88.0));
    if pen.chance(0.6) {
        pen.polygon(&[(4.0, deck), (96.0, deck), (stern, keel), (bow, keel)]);
    } else {
        pen.line((4.0, deck), (96.0, deck));
        pen.curve(&[(4.0, deck), (bow, keel), (stern, keel), (96.0, deck)]);
    }
    pen.line((mast, deck), (mast, 4.0));
    let right = pen.within(74.0, 92.0);
    pen.path(&[(mast, 6.0), (right, deck - 8.0), (mast, deck - 8.0)]);
    if pen.chance(0.55) {
        let left = pen.within(10.0, 22.0);
        pen.path(&[(mast, 12.0), (left, deck - 8.0), (mast, deck - 8.0)]);
    }
    if pen.chance(0.12) {
        pen.path(&[(mast, 4.0), (mast + 12.0, 7.0), (mast, 10.0)]);
    }
}

fn smiley(pen: &mut Pen) {
    pen.oval((50.0, 50.0), (46.0, 46.0));
    let (y, apart, size) = (pen.within(34.0, 42.0), pen.within(13.0, 20.0), pen.within(2.0, 7.0));
    for x in [50.0 - apart, 50.0 + apart] {
        if pen.chance(0.25) { pen.line((x, y - size), (x, y + size)) } else { pen.dot((x, y), size) }
    }
    let (w, deep, mouth) = (pen.within(18.0, 30.0), pen.within(10.0, 22.0), pen.within(56.0, 64.0));
    pen.curve(&[
        (50.0 - w, mouth),
        (50.0 - 0.6 * w, mouth + 0.75 * deep),
        (50.0, mouth + deep),
        (50.0 + 0.6 * w, mouth + 0.75 * deep),
        (50.0 + w, mouth),
    ]);
    if pen.chance(0.15) {
        pen.line((50.0 - w, mouth), (50.0 + w, mouth));
    }
    if pen.chance(0.15) {
        pen.dot((50.0, 50.0), 3.0);
    }
}

fn snowman(pen: &mut Pen) {
    let three = pen.chance(0.65);
    let circles = if three { vec![(16.0, 13.0), (44.0, 18.0), (78.0, 22.0)] } else { vec![(26.0, 18.0), (70.0, 28.0)] };
    for &(y, r) in &circles {
        pen.oval((50.0, y), (r, r));
    }
    let (y, r) = circles[0];
    if pen.chance(0.8) {
        pen.dot((50.0 - 0.35 * r, y - 0.2 * r), 1.6);
        pen.dot((50.0 + 0.35 * r, y - 0.2 * r), 1.6);
    }
    if pen.chance(0.5) {
        pen.path(&[(50.0, y), (50.0 + 0.7 * r, y + 0.2 * r), (50.0, y + 0.3 * r)]);
    }
    if pen.chance(0.4) {
        pen.arc((50.0, y + 0.2 * r), (0.5 * r, 0.4 * r), 0.05, 0.45);
    }
    let (y, r) = circles[1];
    if pen.chance(0.6) {
        for side in [-1.0, 1.0] {
            let up = pen.within(-14.0, 6.0);
            pen.line((50.0 + side * r, y), (50.0 + side * (r + 20.0), y + up));
        }
    }
    if pen.chance(0.6) {
        (0..3).for_each(|i| pen.dot((50.0, y - 0.5 * r + 0.5 * r * f64::from(i)), 1.6));
    }
    if pen.chance(0.35) {
        let (y, r) = circles[0];
        pen.line((50.0 - 1.2 * r, y - 0.8 * r), (50.0 + 1.2 * r, y - 0.8 * r));
        pen.path(&[
            (50.0 - 0.7 * r, y - 0.8 * r),
            (50.0 - 0.7 * r, y - 2.0 * r),
            (50.0 + 0.7 * r, y - 2.0 * r),
            (50.0 + 0.7 * r, y - 0.8 * r),
        ]);
    }
}

fn star(pen: &mut Pen) {
    let start = -0.25;
    if pen.chance(0.65) {
        // Without lifting the pen, each line to the second next point.
        let first = pen.random.whole(0, 4);
        let points: Vec<At> =
            (0..=5).map(|i| turned((50.0, 52.0), 46.0, start + f64::from(2 * (i % 5)) / 5.0 + first as f64 / 5.0)).collect();
        pen.path(&points);
    } else {
        let inner = pen.within(0.36, 0.5);
        let points: Vec<At> =
            (0..10).map(|i| turned((50.0, 52.0), if i % 2 == 0 { 46.0 } else { 46.0 * inner }, start + f64::from(i) / 10.0)).collect();
        pen.polygon(&points);
    }
}

fn sun(pen: &mut Pen) {
    let (r, n, start) = (pen.within(16.0, 28.0), pen.random.whole(6, 14), pen.within(0.0, 1.0));
    pen.oval((50.0, 50.0), (r, r));
    let (gap, long) = (pen.within(1.0, 8.0), pen.within(10.0, 22.0));
    let triangles = pen.chance(0.12);
    for i in 0..n {
        let t = start + i as f64 / n as f64;
        let end = turned((50.0, 50.0), r + gap + long * pen.within(0.7, 1.1), t);
        if triangles {
            let half = 0.35 / n as f64;
            pen.path(&[turned((50.0, 50.0), r, t - half), end, turned((50.0, 50.0), r, t + half)]);
        } else {
            pen.line(turned((50.0, 50.0), r + gap, t), end);
        }
    }
    if pen.chance(0.12) {
        pen.dot((50.0 - 0.35 * r, 46.0), 1.5);
        pen.dot((50.0 + 0.35 * r, 46.0), 1.5);
        pen.arc((50.0, 52.0), (0.45 * r, 0.35 * r), 0.05, 0.45);
    }
}

fn tree(pen: &mut Pen) {
    let (half, foot) = (pen.within(5.0, 10.0), pen.within(0.0, 6.0));
    match pen.random.whole(0, 3) {
        0 => {
            // A fir: a triangle or some of them.
            let layers = pen.random.whole(1, 3);
            for i in 0..layers {
                let (top, bottom) = (4.0 + 66.0 * i as f64 / layers as f64 * 0.85, 4.0 + 70.0 * (i + 1) as f64 / layers as f64);
                let w = 22.0 + 18.0 * (i + 1) as f64 / layers as f64;
                pen.polygon(&[(50.0, top), (50.0 + w, bottom), (50.0 - w, bottom)]);
            }
            pen.path(&[(50.0 - half, 75.0), (50.0 - half, 96.0), (50.0 + half, 96.0), (50.0 + half, 75.0)]);
            return;
        }
        1 => pen.oval((50.0, 34.0), (32.0, 30.0)),
        _ => {
            let n = pen.random.whole(6, 11);
            pen.bulges((50.0, 34.0), (31.0, 26.0), n);
        }
    }
    let top = pen.within(56.0, 66.0);
    pen.path(&[(50.0 - half, top), (50.0 - half - foot, 97.0)]);
    pen.path(&[(50.0 + half, top), (50.0 + half + foot, 97.0)]);
    if pen.chance(0.4) {
        pen.line((50.0 - half - foot, 97.0), (50.0 + half + foot, 97.0));
    }
}

fn umbrella(pen: &mut Pen) {
    let (rim, w) = (pen.within(44.0, 54.0), pen.within(38.0, 47.0));
    pen.arc((50.0, rim), (w, rim - 8.0), 0.5, 1.0);
    let n = pen.random.whole(3, 5);
    if pen.chance(0.65) {
        let part = 2.0 * w / n as f64;
        (0..n).for_each(|i| pen.arc((50.0 - w + part * (i as f64 + 0.5), rim), (part / 2.0, 5.0), 0.5, 1.0));
    } else {
        pen.line((50.0 - w, rim), (50.0 + w, rim));
    }
    let (hook, low) = (pen.within(8.0, 16.0), pen.within(84.0, 90.0));
    if pen.chance(0.8) {
        let from = if pen.chance(0.5) { rim } else { 8.0 };
        pen.curve(&[
            (50.0, from),
            (50.0, 0.5 * (from + low)),
            (50.0, low),
            (50.0 + 0.5 * hook, low + 8.0),
            (50.0 + hook, low),
            (50.0 + hook, low - 4.0),
        ]);
    } else {
        pen.line((50.0, rim), (50.0, 97.0));
    }
    if pen.chance(0.3) {
        pen.curve(&[(50.0, 8.0), (40.0, 25.0), (50.0 - w / 3.0, rim)]);
        pen.curve(&[(50.0, 8.0), (60.0, 25.0), (50.0 + w / 3.0, rim)]);
    }
}
