import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

public class Evaluation {
  public static void main(String[] args) throws Exception {
    var question = """
        {
          "subject": {"type": "officer", "id": "{{officer}}"},
          "action": {"name": "approve"},
          "resource": {"type": "unit", "id": "TH-12"}
        }""";
    var request = HttpRequest.newBuilder(
            URI.create("{{url}}/access/v1/evaluation"))
        .header("Authorization", "Bearer {{token}}")
        .header("Content-Type", "application/json")
        .timeout(Duration.ofSeconds(3))
        .POST(HttpRequest.BodyPublishers.ofString(question))
        .build();
    var response = HttpClient.newHttpClient()
        .send(request, HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IllegalStateException(response.body());
    }
    System.out.println(response.body());
  }
}
