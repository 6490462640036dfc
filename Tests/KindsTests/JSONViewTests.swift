import Kinds
import Model
import Testing

@Suite("Views")
struct JSONViewTests {
    private struct View: JSONView {
        var json: JSON
        init(viewing json: JSON) { self.json = json }
    }

    @Test("leave out empty texts, lists and maps, as omitempty does")
    func omission() {
        var view = View(viewing: ["a": "x", "b": [1], "c": ["k": "v"], "d": 1])
        view.setText("a", "")
        view.setList("b", [Int]())
        view.setMap("c", [String: String]())
        view.setField("d", Int?.none)
        #expect(view.json == [:])
        view.setText("a", "x")
        view.setMap("c", ["z": "1", "a": "2"])
        #expect(view.json.text() == #"{"a":"x","c":{"a":"2","z":"1"}}"#)
    }

    @Test("read what is absent or of another type as the zero value")
    func reading() {
        let view = View(viewing: ["a": 1, "q": "1.5Gi", "t": "2024-01-01T00:00:00Z", "p": "http"])
        #expect(view.field("a", or: "") == "")
        #expect(view.field("a") == 1)
        #expect(view.field("q", or: Quantity.zero).value == 1_610_612_736)
        #expect(view.field("t", or: Timestamp(seconds: 0)) == Timestamp(seconds: 1_704_067_200))
        #expect(view.field("p", or: IntOrString.int(0)) == "http")
        #expect((view.list("a") as [String]).isEmpty)
    }
}
